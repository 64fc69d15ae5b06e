-- Let go of a watch that nobody wants any more.
-- ARGV: watch
-- Result: 1, or 0 where somebody wants it again: then its Graph subscription, which was ended, is made anew
local watch = ARGV[1]
local key = 'rdv:watch:' .. watch
if redis.call('SCARD', 'rdv:watchers:' .. watch) > 0 then
  redis.call('HDEL', key, 'graph_id', 'expires', 'renewed')
  redis.call('ZADD', 'rdv:watches', NOW, watch)
  return 0
end
redis.call('DEL', key, 'rdv:snapshots:' .. watch)
redis.call('ZREM', 'rdv:watches', watch)
return 1
