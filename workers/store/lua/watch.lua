-- Begin a subscription or a mirror, and the watch of its mailbox if there is none. Not allowed when the store is full.
-- ARGV: kind (subscription | mirror), id, body, client, sameness (a hash: equal for two that would do the same), watch,
--       its backend, mailbox and secret, how many may want to know of it (0 for no limit)
-- Result: the id of the one that does the same, this one or an earlier; '' where as many as may want to know
local kind, id, body, client, same, watch, backend, mailbox, secret, most = unpack(ARGV)
local earlier = redis.call('GET', 'rdv:same:' .. same)
if earlier then return earlier end
most = tonumber(most)
if most > 0 and redis.call('SCARD', 'rdv:watchers:' .. watch) >= most then return '' end

redis.call('SET', 'rdv:same:' .. same, id)
redis.call('HSET', 'rdv:' .. kind .. ':' .. id, 'body', body, 'client', client, 'watch', watch, 'same', same)
redis.call('ZADD', 'rdv:' .. kind .. 's:' .. client, NOW, id)
redis.call('SADD', 'rdv:watchers:' .. watch, kind .. ':' .. id)
local key = 'rdv:watch:' .. watch
if redis.call('EXISTS', key) == 0 then
  redis.call('HSET', key, 'backend', backend, 'mailbox', mailbox, 'secret', secret)
end
redis.call('HSET', key, 'wanted', NOW)
redis.call('ZADD', 'rdv:watches', NOW, watch)
return id
