-- What every script begins with: the keys (workers/store documents each), the clock, and the moves that more than one
-- script makes. A script must give the same result when it is sent twice: the client re-sends after a lost reply.

local function job_key(id) return 'rdv:job:' .. id end
local function line_key(line) return 'rdv:line:' .. line end
local function running_key(lane) return 'rdv:running:' .. lane end
local function waiting_key(lane) return 'rdv:waiting:' .. lane end
local function paused_key(lane) return 'rdv:paused:' .. lane end
local function probe_key(lane) return 'rdv:probe:' .. lane end
local function dead_key(client) return 'rdv:dead:' .. client end
local DUE, SEQUENCE, DEADLINES = 'rdv:due', 'rdv:sequence', 'rdv:deadlines'
local LANE = 'lane/'

local function clock()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local NOW = clock()

-- What of an unsettled job never changes: its kind, client, lane and label. Asked for once in a script.
local known = {}
local function what_is(id)
  known[id] = known[id] or redis.call('HMGET', job_key(id), 'kind', 'client', 'lane', 'label')
  return unpack(known[id])
end

local rings = {}
local function ring(id)
  local kind, _, _, label = what_is(id)
  rings[#rings + 1] = {id, kind, label}
end

local function at_head(id, line) return redis.call('LINDEX', line_key(line), 0) == id end

-- One due time per job: when sweep has to look at it if nothing happens before.
local function look_again(id, moment) redis.call('ZADD', DUE, moment, id) end

-- The job may run: ring, and let sweep ring again if nobody answers within the grace.
local function wake(id, grace)
  look_again(id, NOW + grace)
  redis.call('HSET', job_key(id), 'bells', 1, 'ready', NOW)
  ring(id)
end

-- A job that finds its lane full or paused waits there, in order of acceptance, and not in the due set. Who leaves lets
-- the next one in; that nobody waits for ever if that ever fails, sweep looks at the lane now and then.
local LANE_PATIENCE = 60000
local function wait_in_lane(id, lane, accepted)
  redis.call('ZADD', waiting_key(lane), accepted, id)
  redis.call('ZREM', DUE, id)
  redis.call('ZADD', DUE, 'NX', NOW + LANE_PATIENCE, LANE .. lane)
end

-- The moment until which the lane is paused, or nil.
local function paused_until(lane)
  local moment = tonumber(redis.call('GET', paused_key(lane)) or 0)
  if moment > NOW then return moment end
end

-- A lane that was paused opens for one job at a time, until one is not sent away again.
local PROBING = 600000
local function pause(lane, duration)
  local moment = math.max(NOW + duration, paused_until(lane) or 0)
  redis.call('SET', probe_key(lane), '1', 'PX', moment - NOW + PROBING)
  redis.call('SET', paused_key(lane), moment, 'PX', math.max(1, moment - NOW))
  redis.call('ZADD', DUE, moment, LANE .. lane)
  redis.call('ZREMRANGEBYSCORE', 'rdv:pauses', '-inf', NOW)
  redis.call('ZADD', 'rdv:pauses', moment, lane)
end

-- How many more jobs may run in the lane now. room: what a job came with; what its backend has by now is stronger.
local function free(lane, room)
  room = redis.call('HGET', 'rdv:rooms', string.match(lane, '^[^/]*')) or room
  if redis.call('EXISTS', probe_key(lane)) == 1 then room = 1 end
  return tonumber(room) - redis.call('SCARD', running_key(lane))
end

-- Waiting jobs may run, as far as there is room. One that leaves lets one in: whoever was let in before it has a place
-- already, also while its bell is not answered yet. A lane that opens lets in as many as it holds.
local ALL = math.huge
local function admit(lane, grace, most)
  if paused_until(lane) then return end
  local first = redis.call('ZRANGE', waiting_key(lane), 0, 0)[1]
  if not first then return end
  local room = free(lane, redis.call('HGET', job_key(first), 'room'))
  if room < 1 then return end
  for _, id in ipairs(redis.call('ZRANGE', waiting_key(lane), 0, math.min(room, most) - 1)) do
    redis.call('ZREM', waiting_key(lane), id)
    wake(id, grace)
  end
  if redis.call('EXISTS', waiting_key(lane)) == 0 then redis.call('ZREM', DUE, LANE .. lane) end
end

-- The job has come to the head of its line: it may run, or waits behind those who wait in its lane.
local function come_forward(id, lane, grace)
  if redis.call('EXISTS', waiting_key(lane)) == 0 then return wake(id, grace) end
  wait_in_lane(id, lane, redis.call('HGET', job_key(id), 'accepted'))
end

-- How many updates are unsettled, by client and by lane.
local function count(id, more)
  local kind, client, lane = what_is(id)
  if kind ~= 'update' then return end
  for _, field in ipairs({'client/' .. client, LANE .. lane}) do
    if redis.call('HINCRBY', 'rdv:backlog', field, more) <= 0 then redis.call('HDEL', 'rdv:backlog', field) end
  end
end

-- Which state an unsettled job goes from and to; nil where it was, or is, not unsettled. Only counted.
local function moved(id, from, to)
  local kind, client = what_is(id)
  local function add(state, more)
    local field = kind .. '/' .. (client or '') .. '/' .. state
    if redis.call('HINCRBY', 'rdv:states', field, more) <= 0 then redis.call('HDEL', 'rdv:states', field) end
  end
  if from then add(from, -1) end
  if to then add(to, 1) end
end

-- One more of what happened, in this minute and in all. what: accepted, succeeded, retried, dead, cancelled, took (time
-- to done; class is its bucket); class: how the attempt ended. A minute knows the callback's host, the total does not.
local MINUTE_LIFE = 7500000
local function tally(id, what, class, more)
  local kind, client, lane = what_is(id)
  local place, rest = string.match(lane or '', '^([^/]*)/?(.*)$')
  local field = table.concat({what, kind, client or '', class, place}, '/')
  local minute = string.format('rdv:minute:%d', math.floor(NOW / 60000))
  more = more or 1
  local first = redis.call('HINCRBY', minute, place == 'callback' and field .. '/' .. rest or field, more) == more
  if first then redis.call('PEXPIRE', minute, MINUTE_LIFE) end
  redis.call('HINCRBY', 'rdv:total', field, more)
end

-- The time from acceptance to the end, by its bucket (upper bound in ms). Not after a replay: who waited was a person.
local BUCKETS = {100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300000, 1800000, 7200000, 86400000}
local function took(id)
  local since, replayed = unpack(redis.call('HMGET', job_key(id), 'since', 'replay'))
  if not since or replayed then return end
  local duration, bucket = NOW - since, 'inf'
  for i = #BUCKETS, 1, -1 do
    if duration <= BUCKETS[i] then bucket = string.format('%d', BUCKETS[i]) end
  end
  tally(id, 'took', bucket)
  tally(id, 'took', 'sum', duration)
end

-- One more attempt in the job's history, as JSON: one to a line, the last hundred. Of jobs of our own, which are tried
-- for as long as it takes, only the last one.
local REMEMBERED = 100
local function remember(id, attempt)
  local kind, earlier = unpack(redis.call('HMGET', job_key(id), 'kind', 'attempts'))
  local number = redis.call('HINCRBY', job_key(id), 'attempted', 1)
  if kind ~= 'update' and kind ~= 'callback' then earlier = nil end
  if earlier and number > REMEMBERED then earlier = string.match(earlier, '\n(.*)') end
  redis.call('HSET', job_key(id), 'attempts', earlier and earlier .. '\n' .. attempt or attempt)
end

-- The job has ended well, or was taken back: what only an unsettled job needs goes.
local function fold(id)
  redis.call('HDEL', job_key(id), 'line', 'lane', 'room', 'label', 'accepted', 'since', 'ready', 'bells', 'claims', 'fence',
    'not_before', 'attempted', 'replayed_at', 'lost', 'intent', 'intended', 'doubt', 'update')
end

-- The job is kept for so long (ms) yet; a callback at least as long as its update, which tells how it went.
local function expire(id, life)
  local update = redis.call('HGET', job_key(id), 'update')
  redis.call('PEXPIRE', job_key(id), math.max(life, update and redis.call('PTTL', job_key(update)) or 0))
end

-- The job is settled: out of its line and its lane. Whoever stood behind it may go, or waits with the others of the lane.
-- places: how many of them may be let in for it.
local function leave(id, line, lane, grace, places)
  count(id, -1)
  redis.call('ZREM', DUE, id)
  redis.call('ZREM', DEADLINES, id)
  redis.call('ZREM', waiting_key(lane), id)
  redis.call('SREM', running_key(lane), id)
  local was_head = at_head(id, line)
  redis.call('LREM', line_key(line), 0, id)
  local next_id = redis.call('LINDEX', line_key(line), 0)
  if was_head and next_id then come_forward(next_id, lane, grace) end
  admit(lane, grace, places)
end

-- An update that waits ends in another state without an attempt.
local function end_unattempted(id, from, to, finished, grace)
  local line, lane = unpack(redis.call('HMGET', job_key(id), 'line', 'lane'))
  moved(id, from, nil)
  ring(id) -- there is nothing left to do, but whoever answers tells Flower
  redis.call('HSET', job_key(id), 'state', to, 'finished', finished)
  leave(id, line, lane, grace, 1)
end

-- A running job whose worker will not settle it: back to the head of its line, where it stands. Its last write stays in
-- doubt if one was intended.
local function take_back(id, lane, grace, moment, why)
  local key = job_key(id)
  local attempted, started = unpack(redis.call('HMGET', key, 'attempted', 'started'))
  remember(id, cjson.encode({number = (attempted or 0) + 1, startedAt = started, endedAt = moment, outcome = 'lost',
    detail = why}))
  moved(id, 'running', 'retrying')
  tally(id, 'retried', 'lost')
  redis.call('HSET', key, 'state', 'retrying', 'not_before', 0)
  redis.call('HINCRBY', key, 'lost', 1)
  redis.call('HDEL', key, 'token', 'started')
  redis.call('SREM', running_key(lane), id)
  wake(id, grace)
  admit(lane, grace, 1)
end

-- Put a new job at the end of its line.
local function enqueue(kind, grace, id, body, client, owner, line, lane, room, label)
  if redis.call('EXISTS', job_key(id)) == 1 then return end
  redis.call('HSET', job_key(id), 'state', 'queued', 'accepted', redis.call('INCR', SEQUENCE), 'claims', 0, 'since', NOW,
    'kind', kind, 'body', body, 'client', client, 'owner', owner, 'line', line, 'lane', lane, 'room', room, 'label', label)
  known[id] = {kind, client, lane, label}
  count(id, 1)
  moved(id, nil, 'queued')
  tally(id, 'accepted', '')
  if redis.call('RPUSH', line_key(line), id) == 1 then come_forward(id, lane, grace) end
end

-- ARGV from position i on: id, body, client, owner, line, lane, room, label of the callback; id '' for none.
local function enqueue_callback(i, update, grace)
  if ARGV[i] == '' then return end
  redis.call('HSET', job_key(update), 'callback', ARGV[i])
  enqueue('callback', grace, unpack(ARGV, i, i + 7))
  redis.call('HSET', job_key(ARGV[i]), 'update', update)
end
