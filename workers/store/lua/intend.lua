-- Record what is about to be written, before anything is sent. From here on the outcome is in doubt until it is settled.
-- ARGV: id, fence, intent (JSON)
-- Result: 0 to go on, -1 where the right to run is lost, or for how long the lane is paused (ms): then nothing may be sent
local key = job_key(ARGV[1])
local job = redis.call('HMGET', key, 'state', 'fence', 'lane')
if job[1] ~= 'running' or job[2] ~= ARGV[2] then return -1 end
local reopens = paused_until(job[3])
if reopens then return reopens - NOW end
redis.call('HSET', key, 'intent', ARGV[3], 'doubt', '1', 'intended', NOW)
return 0
