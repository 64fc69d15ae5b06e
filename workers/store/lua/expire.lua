-- Give up an update whose deadline has passed while it waited. One that runs, or whose last write is still in doubt, is
-- left to its next attempt, which judges the deadline.
-- ARGV: id, the moment by which the deadline has passed (ms since 1970), error (JSON), finished at (RFC 3339), life of a
--       dead job (ms), grace (ms), then the callback's eight
-- Result: rings
local id, moment, failure, finished, life, grace = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])
local key = job_key(id)
local state, doubt, client = unpack(redis.call('HMGET', key, 'state', 'doubt', 'client'))
-- One that was brought back meanwhile has another deadline.
if tonumber(redis.call('ZSCORE', DEADLINES, id) or math.huge) > moment then return {} end
if state == 'running' then
  redis.call('ZADD', DEADLINES, moment + LANE_PATIENCE, id) -- where many run, those that wait come first
  return {}
end
redis.call('ZREM', DEADLINES, id)
if state ~= 'queued' and state ~= 'retrying' or doubt == '1' then return {} end

end_unattempted(id, state, 'dead', finished, grace)
tally(id, 'dead', 'expired')
took(id)
redis.call('HSET', key, 'error', failure)
redis.call('HDEL', key, 'not_before')
redis.call('ZADD', dead_key(client), NOW, id)
redis.call('PEXPIRE', key, life)
enqueue_callback(7, id, grace)
return rings
