-- Take a waiting update back, or give it up because its deadline has passed. Not one that runs, or whose last write is
-- still in doubt.
-- ARGV: id, finished at (RFC 3339), life of a settled job (ms), grace (ms), error (JSON; '': it is cancelled), the moment
--       by which its deadline has passed (ms since 1970; '': it is cancelled), then the callback's eight
-- Result: {'cancelled' | 'running' | 'ended' | 'unknown', rings}; of one that is given up 'ended'
local id, finished, life, grace, failure, moment = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6]
local key = job_key(id)
local state, line, lane, doubt, client = unpack(redis.call('HMGET', key, 'state', 'line', 'lane', 'doubt', 'client'))
-- Of one that is to be given up. One that was brought back meanwhile has another deadline.
local overdue = failure ~= '' and tonumber(redis.call('ZSCORE', DEADLINES, id) or math.huge) <= tonumber(moment)
if overdue and state == 'running' then
  redis.call('ZADD', DEADLINES, moment + LANE_PATIENCE, id) -- where many run, those that wait come first
elseif overdue then
  redis.call('ZREM', DEADLINES, id)
end
if not state then return {'unknown', {}} end
if state == 'cancelled' then return {'cancelled', {}} end
if state ~= 'queued' and state ~= 'retrying' and state ~= 'running' then return {'ended', {}} end
if state == 'running' or doubt == '1' then return {'running', {}} end
if failure ~= '' and not overdue then return {'ended', {}} end

moved(id, state, nil)
ring(id) -- there is nothing left to do, but whoever answers tells Flower
redis.call('HSET', key, 'finished', finished)
leave(id, line, lane, grace, 1)
if failure == '' then
  tally(id, 'cancelled', '')
  redis.call('HSET', key, 'state', 'cancelled')
  fold(id)
else
  tally(id, 'dead', 'expired')
  took(id)
  redis.call('HSET', key, 'state', 'dead', 'error', failure)
  redis.call('HDEL', key, 'due', 'not_before', 'intent')
  redis.call('ZADD', dead_key(client), NOW, id)
end
redis.call('PEXPIRE', key, life)
enqueue_callback(7, id, grace)
return {failure == '' and 'cancelled' or 'ended', rings}
