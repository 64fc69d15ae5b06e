-- End a subscription or a mirror. The watch is looked at, and ends if nobody else wants it.
-- ARGV: kind (subscription | mirror), id
-- Result: 1
local kind, id = ARGV[1], ARGV[2]
local key = 'rdv:' .. kind .. ':' .. id
local client, watch, same = unpack(redis.call('HMGET', key, 'client', 'watch', 'same'))
if not client then return 1 end
redis.call('DEL', key, 'rdv:same:' .. same)
redis.call('ZREM', 'rdv:' .. kind .. 's:' .. client, id)
redis.call('SREM', 'rdv:watchers:' .. watch, kind .. ':' .. id)
if redis.call('EXISTS', 'rdv:watch:' .. watch) == 1 then
  redis.call('HSET', 'rdv:watch:' .. watch, 'wanted', NOW)
  redis.call('ZADD', 'rdv:watches', NOW, watch)
end
return 1
