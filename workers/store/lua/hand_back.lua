-- Give up the right to run jobs, because their process is being stopped. This is no crash, so it does not count as one.
-- ARGV: grace (ms), now (RFC 3339, for the history), then id, fence of each job
-- Result: rings
for i = 3, #ARGV, 2 do
  local id, fence = ARGV[i], ARGV[i + 1]
  local job = redis.call('HMGET', job_key(id), 'state', 'fence', 'lane')
  if job[1] == 'running' and job[2] == fence then
    redis.call('HINCRBY', job_key(id), 'claims', -1)
    take_back(id, job[3], tonumber(ARGV[1]), ARGV[2], 'The worker was stopped and handed the job back.')
  end
end
return rings
