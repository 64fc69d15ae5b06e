-- Remember an event as it is told now, and make the callbacks that tell it - all or nothing.
-- ARGV: id and fence of the job that looked, watch, event, snapshot (JSON), grace (ms), then each callback's eight: id,
--       body, client, owner, line, lane, room, label
-- Result: {1, rings}, or {0, {}} where the right to run was lost: then nothing is changed
local id, fence, watch, event, snapshot, grace = unpack(ARGV, 1, 6)
local state, held = unpack(redis.call('HMGET', job_key(id), 'state', 'fence'))
if state ~= 'running' or held ~= fence then return {0, {}} end
if redis.call('EXISTS', 'rdv:watch:' .. watch) == 0 then return {1, {}} end
redis.call('HSET', 'rdv:snapshots:' .. watch, event, snapshot)
for i = 7, #ARGV, 8 do
  enqueue('callback', tonumber(grace), unpack(ARGV, i, i + 7))
end
return {1, rings}
