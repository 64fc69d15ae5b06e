-- Give up the right to run jobs that their process will not run. This is no crash, so it does not count as one.
-- ARGV: grace (ms), now (RFC 3339, for the history), then of each job: id, fence, or its claim's token
-- Result: rings
for i = 3, #ARGV, 2 do
  local id, right = ARGV[i], ARGV[i + 1]
  local job = redis.call('HMGET', job_key(id), 'state', 'lane', 'fence', 'token')
  if job[1] == 'running' and (job[3] == right or job[4] == right) then
    redis.call('HINCRBY', job_key(id), 'claims', -1)
    take_back(id, job[2], tonumber(ARGV[1]), ARGV[2], 'The worker was stopped, or lost the store, and handed it back.')
  end
end
return rings
