-- Take a waiting update back. Not one that runs, or whose last write is still in doubt.
-- ARGV: id, finished at (RFC 3339), life of a settled job (ms), grace (ms), then the callback's eight
-- Result: {'cancelled' | 'running' | 'ended' | 'unknown', rings}
local id, finished, life, grace = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local key = job_key(id)
local state, doubt = unpack(redis.call('HMGET', key, 'state', 'doubt'))
if not state then return {'unknown', {}} end
if state == 'cancelled' then return {'cancelled', {}} end
if state == 'succeeded' or state == 'dead' then return {'ended', {}} end
if state == 'running' or doubt == '1' then return {'running', {}} end

end_unattempted(id, state, 'cancelled', finished, grace)
tally(id, 'cancelled', '')
fold(id)
redis.call('PEXPIRE', key, life)
enqueue_callback(5, id, grace)
return {'cancelled', rings}
