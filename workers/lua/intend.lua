-- Record what is about to be written, before anything is sent. From here on the outcome is in doubt until it is settled.
-- ARGV: id, fence, intent (JSON)
-- Result: 1, or 0 where the right to run is lost: then nothing may be sent
local key = job_key(ARGV[1])
local job = redis.call('HMGET', key, 'state', 'fence')
if job[1] ~= 'running' or job[2] ~= ARGV[2] then return 0 end
redis.call('HSET', key, 'intent', ARGV[3], 'doubt', '1')
return 1
