-- Take the right to run a job: only at the head of its line, when it is due, and with room in an open lane.
-- ARGV: id, token (unique to this claim), lease (ms), started at (RFC 3339)
-- Result: {'granted', fence, claims since the last outcome, attempts so far, those of them before the last replay,
--          those since then that were lost, kind, body, intent, doubt, ms since it was intended}
--         or {'waiting'} (lane full or paused: it is rung when there is room) or {'nothing'}
local id, token, lease, started = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local key = job_key(id)
local state, line, lane, room, accepted, not_before, held =
  unpack(redis.call('HMGET', key, 'state', 'line', 'lane', 'room', 'accepted', 'not_before', 'token'))

local function granted()
  local fence, claims, kind, body, intent, doubt, replayed_at, lost, intended, attempted =
    unpack(redis.call('HMGET', key, 'fence', 'claims', 'kind', 'body', 'intent', 'doubt', 'replayed_at', 'lost',
      'intended', 'attempted'))
  return {'granted', tonumber(fence), tonumber(claims), tonumber(attempted or 0), tonumber(replayed_at or 0),
    tonumber(lost or 0), kind, body, intent or '', doubt or '', NOW - tonumber(intended or NOW)}
end

if state == 'running' and held == token then return granted() end
if state ~= 'queued' and state ~= 'retrying' then return {'nothing'} end
if not at_head(id, line) or tonumber(not_before or 0) > NOW then return {'nothing'} end

if paused_until(lane) or free(lane, room) < 1 then
  wait_in_lane(id, lane, accepted)
  return {'waiting'}
end

moved(id, state, 'running')
redis.call('ZREM', waiting_key(lane), id)
redis.call('SADD', running_key(lane), id)
redis.call('HSET', key, 'state', 'running', 'token', token, 'fence', redis.call('INCR', SEQUENCE), 'started', started,
  'bells', 0)
redis.call('HINCRBY', key, 'claims', 1)
redis.call('HDEL', key, 'not_before')
look_again(id, NOW + lease)
return granted()
