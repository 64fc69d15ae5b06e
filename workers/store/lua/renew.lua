-- Keep the leases of jobs that are still being run.
-- ARGV: lease (ms), then id, fence of each job
-- Result: the ids whose right is lost; not of those that were settled under it meanwhile
local lost = {}
for i = 2, #ARGV, 2 do
  local id, fence = ARGV[i], ARGV[i + 1]
  local job = redis.call('HMGET', job_key(id), 'state', 'fence', 'settled')
  if job[1] == 'running' and job[2] == fence then
    look_again(id, NOW + tonumber(ARGV[1]))
  elseif job[3] ~= fence then
    lost[#lost + 1] = id
  end
end
return lost
