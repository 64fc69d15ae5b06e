-- Take a waiting update back. Not one that runs, or whose last write is still in doubt.
-- ARGV: id, token (unique to this cancel), finished at (RFC 3339), life of a settled job (ms), grace (ms), then the
--       callback's eight
-- Result: {'cancelled' | 'running' | 'ended' | 'unknown', rings}
local id, token, finished, life, grace = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local key = job_key(id)
local state, doubt, cancel = unpack(redis.call('HMGET', key, 'state', 'doubt', 'cancel'))
if not state then return {'unknown', {}} end
if cancel == token then return {'cancelled', {}} end
if state == 'succeeded' or state == 'dead' or state == 'cancelled' then return {'ended', {}} end
if state == 'running' or doubt == '1' then return {'running', {}} end

end_unattempted(id, state, 'cancelled', finished, grace)
tally(id, 'cancelled', '')
fold(id)
redis.call('HSET', key, 'cancel', token)
redis.call('PEXPIRE', key, life)
enqueue_callback(6, id, grace)
return {'cancelled', rings}
