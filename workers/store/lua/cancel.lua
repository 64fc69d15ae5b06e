-- Take a waiting update back. One that runs, or whose last write is still in doubt, cannot be taken back.
-- ARGV: id, finished at (RFC 3339), life of a settled job (ms), grace (ms), then the callback's eight
-- Result: {'cancelled' | 'running' | 'ended' | 'unknown', rings}
local id, finished, life, grace = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local key = job_key(id)
local state, line, lane, doubt = unpack(redis.call('HMGET', key, 'state', 'line', 'lane', 'doubt'))
if not state then return {'unknown', {}} end
if state == 'cancelled' then return {'cancelled', {}} end
if state ~= 'queued' and state ~= 'retrying' and state ~= 'running' then return {'ended', {}} end
if state == 'running' or doubt == '1' then return {'running', {}} end

moved(id, state, nil)
tally(id, 'cancelled', '')
redis.call('HSET', key, 'state', 'cancelled', 'finished', finished)
leave(id, line, lane, grace, 1)
fold(id)
redis.call('PEXPIRE', key, life)
enqueue_callback(5, id, grace)
return {'cancelled', rings}
