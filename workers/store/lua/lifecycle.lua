-- Note what Graph says about a subscription of ours, and have its watch looked at.
-- ARGV: watch, event (reauthorizationRequired | subscriptionRemoved | missed)
-- Result: 1, or 0 where there is no such watch
local watch, event = ARGV[1], ARGV[2]
local key = 'rdv:watch:' .. watch
if redis.call('EXISTS', key) == 0 then return 0 end
if event == 'reauthorizationRequired' then redis.call('HSET', key, 'reauthorize', NOW) end
if event == 'missed' then redis.call('HSET', key, 'missed', NOW) end
if event == 'subscriptionRemoved' then
  redis.call('HSET', key, 'missed', NOW)
  redis.call('HDEL', key, 'graph_id', 'expires', 'renewed')
end
redis.call('HSET', key, 'wanted', NOW)
redis.call('ZADD', 'rdv:watches', NOW, watch)
return 1
