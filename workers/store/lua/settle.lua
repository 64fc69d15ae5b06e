-- End an attempt: history, state, the lane's slot, whoever comes next, and the callback - all or nothing.
-- ARGV: id, fence, verb (succeed | die | retry), attempt (JSON), result (JSON or ''), error (JSON or ''),
--       finished at (RFC 3339 or ''), retry delay (ms), pause of the lane (ms, 0 for none), still in doubt ('1' or ''),
--       life of a settled job (ms), grace (ms), our write (a line, see workers/event/versions, or ''), what the next
--       attempt is to know (an intent, or '' for the one that is recorded), then the callback's eight (enqueue_callback)
-- Result: {1, rings}, or {0, {}} where the right to run was lost: then nothing is changed

-- The breaker of a callback host: after so many failures in a row its lane is paused, longer each time. One success
-- closes it; an answer that ends a callback (410, a refusal of ours) says nothing about the host, and what was under way
-- when the lane was paused says nothing new.
local FAILURES, FIRST_PAUSE, LONGEST_PAUSE = 5, 5000, 300000
local function breaker(host, well, failed)
  local key = 'rdv:failures:' .. host
  if well then redis.call('DEL', key) end
  if not failed or paused_until(host) then return 0 end
  local failures = redis.call('INCR', key)
  redis.call('PEXPIRE', key, 12 * LONGEST_PAUSE)
  if failures < FAILURES then return 0 end
  return math.min(FIRST_PAUSE * 2 ^ (failures - FAILURES), LONGEST_PAUSE)
end

local id, fence, verb, attempt, result, failure, finished = unpack(ARGV, 1, 7)
local delay, paused, doubt, life, grace = tonumber(ARGV[8]), tonumber(ARGV[9]), ARGV[10], ARGV[11], tonumber(ARGV[12])
local key = job_key(id)
local wrote, intent = ARGV[13], ARGV[14]
local state, held, settled, line, lane, kind, client =
  unpack(redis.call('HMGET', key, 'state', 'fence', 'settled', 'line', 'lane', 'kind', 'client'))

if settled == fence then return {1, {}} end
if state ~= 'running' or held ~= fence then return {0, {}} end

local ended = cjson.decode(attempt).outcome
moved(id, 'running', verb == 'retry' and 'retrying' or nil)
tally(id, ({retry = 'retried', die = 'dead', succeed = 'succeeded'})[verb], ended)
if verb ~= 'retry' then took(id) end
remember(id, attempt)
redis.call('HDEL', key, 'token', 'started')
redis.call('HSET', key, 'settled', fence, 'claims', 0, 'doubt', doubt)
if intent ~= '' then redis.call('HSET', key, 'intent', intent) end
if kind == 'callback' then paused = breaker(lane, verb == 'succeed', verb == 'retry') end
local places = 1
if paused > 0 then
  pause(lane, paused)
elseif not paused_until(lane) and redis.call('DEL', probe_key(lane)) == 1 then
  places = ALL
end
if wrote ~= '' then
  local ours = 'rdv:wrote:' .. redis.sha1hex(line)
  redis.call('LPUSH', ours, wrote)
  redis.call('LTRIM', ours, 0, 63)
  redis.call('PEXPIRE', ours, life)
end

if verb == 'retry' then
  redis.call('HSET', key, 'state', 'retrying', 'not_before', NOW + delay)
  redis.call('SREM', running_key(lane), id)
  look_again(id, NOW + delay)
  admit(lane, grace, places)
  return {1, rings}
end

redis.call('HSET', key, 'state', verb == 'die' and 'dead' or 'succeeded', 'finished', finished)
redis.call('HDEL', key, 'error')
if result ~= '' then redis.call('HSET', key, 'result', result) end
if failure ~= '' then redis.call('HSET', key, 'error', failure) end
if verb == 'die' and client ~= '' then redis.call('ZADD', dead_key(client), NOW, id) end
leave(id, line, lane, grace, places)
if kind == 'callback' and verb == 'succeed' then redis.call('HDEL', key, 'body') end
expire(id, life)
if verb == 'succeed' then fold(id) else redis.call('HDEL', key, 'not_before') end
enqueue_callback(15, id, grace)
return {1, rings}
