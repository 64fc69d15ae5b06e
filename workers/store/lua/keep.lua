-- Note how a watch stands, and when it has to be looked at again: at once if somebody wished for that meanwhile.
-- ARGV: watch, fence of the job that looks, when this look began (ms), next look (ms, or '' to leave it), then field,
--       value ('' deletes) …
-- Result: 1, or 0 where there is no such watch any more, or a later job has noted something: then nothing is changed
local watch, fence, began, next_look = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local key = 'rdv:watch:' .. watch
if redis.call('EXISTS', key) == 0 or tonumber(redis.call('HGET', key, 'fence') or 0) > fence then return 0 end
redis.call('HSET', key, 'fence', fence)
for i = 5, #ARGV, 2 do
  if ARGV[i + 1] == '' then
    redis.call('HDEL', key, ARGV[i])
  else
    redis.call('HSET', key, ARGV[i], ARGV[i + 1])
  end
end
if next_look ~= '' then
  local wanted = tonumber(redis.call('HGET', key, 'wanted') or 0)
  redis.call('ZADD', 'rdv:watches', wanted >= began and NOW or next_look, watch)
end
return 1
