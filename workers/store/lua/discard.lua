-- Take a dead letter off the list. The job stays to be read until its life is over.
-- ARGV: id, token (unique to this call)
-- Result: 1, or 0 where it is no dead letter
local id, token = ARGV[1], ARGV[2]
local key = job_key(id)
local state, client, discard = unpack(redis.call('HMGET', key, 'state', 'client', 'discard'))
if discard == token then return 1 end
if state ~= 'dead' or redis.call('ZREM', dead_key(client), id) == 0 then return 0 end
redis.call('HSET', key, 'discard', token)
redis.call('HDEL', key, 'intent')
return 1
