-- Have the watches looked at that are due: one job each, unless one is waiting or running.
-- ARGV: how many at most, grace (ms), when to look again if that job comes to nothing (ms), room
-- Result: {how many were looked at, rings}
local grace, backstop, room = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local due = redis.call('ZRANGEBYSCORE', 'rdv:watches', '-inf', NOW, 'LIMIT', 0, ARGV[1])
for _, watch in ipairs(due) do
  redis.call('ZADD', 'rdv:watches', NOW + backstop, watch)
  local backend, mailbox = unpack(redis.call('HMGET', 'rdv:watch:' .. watch, 'backend', 'mailbox'))
  if not backend then
    redis.call('ZREM', 'rdv:watches', watch)
  elseif redis.call('LLEN', line_key('watch/' .. watch)) == 0 then
    local id = 'tnd_' .. watch:sub(5) .. '_' .. redis.call('INCR', SEQUENCE)
    local lane = 'watch/' .. backend .. '/' .. mailbox:lower()
    enqueue('watch', grace, id, watch, '', mailbox, 'watch/' .. watch, lane, room, mailbox)
  end
end
return {#due, rings}
