-- Note how a watch stands, and when it has to be looked at again: at once if somebody wished for that meanwhile.
-- ARGV: watch, when this look began (ms), next look (ms, or '' to leave it), then field, value ('' deletes) …
-- Result: 1, or 0 where there is no such watch any more
local watch, began, next_look = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local key = 'rdv:watch:' .. watch
if redis.call('EXISTS', key) == 0 then return 0 end
for i = 4, #ARGV, 2 do
  if ARGV[i + 1] == '' then
    redis.call('HDEL', key, ARGV[i])
  else
    redis.call('HSET', key, ARGV[i], ARGV[i + 1])
  end
end
if next_look ~= '' then
  local wanted = tonumber(redis.call('HGET', key, 'wanted') or 0)
  redis.call('ZADD', 'rdv:watches', wanted > began and NOW or next_look, watch)
end
return 1
