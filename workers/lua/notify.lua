-- Take notifications in: each becomes a job, unless the same was heard of before, or a job that has not begun yet will
-- see what it tells of. Not allowed when the store is full: who sends them sends them again.
-- ARGV: grace (ms), life of what was heard (ms), heard from outside ('1' or ''), then of each: job id, watch, line,
--       lane, room, owner, body, label, what it is known by (a hash)
-- Result: {how many became jobs, rings}
local grace, life, outside = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local new = 0

local function waits_already(line, label)
  local last = redis.call('LINDEX', line_key(line), -1)
  if not last then return false end
  local state, its_label = unpack(redis.call('HMGET', job_key(last), 'state', 'label'))
  return state == 'queued' and its_label == label
end

for i = 4, #ARGV, 9 do
  local id, watch, line, lane, room, owner, body, label, known = unpack(ARGV, i, i + 8)
  if redis.call('EXISTS', 'rdv:watch:' .. watch) == 1 then
    if outside == '1' then redis.call('HSET', 'rdv:watch:' .. watch, 'heard', NOW) end
    if redis.call('SET', 'rdv:heard:' .. known, id, 'NX', 'PX', life) and not waits_already(line, label) then
      new = new + 1
      enqueue(id, line, grace, {'kind', 'notification', 'body', body, 'client', '', 'owner', owner, 'line', line,
        'lane', lane, 'room', room, 'label', label})
    end
  end
end
return {new, rings}
