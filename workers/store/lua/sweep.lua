-- Look at whatever is past due: ring again, take jobs back from dead workers, open lanes whose pause is over.
-- ARGV: how many at most, grace (ms), now (RFC 3339, for the history), lease (ms)
-- Result: {how many were looked at, rings}
local grace, moment = tonumber(ARGV[2]), ARGV[3]
local LONGEST = 60000

-- Where nobody swept for half a lease the store was away, or beat was: leases may have ended although nobody died of
-- their jobs, which then counts as no claim. Of one job that is believed so often: it may take the whole machine down.
local BELIEVED = 10
local swept = redis.call('GET', 'rdv:swept')
local was_away = swept and NOW - swept > ARGV[4] / 2

local function ring_again(id)
  local bells = redis.call('HINCRBY', job_key(id), 'bells', 1)
  look_again(id, NOW + math.max(grace, math.min(grace * 2 ^ (bells - 1), LONGEST)))
  ring(id)
end

-- A job that would find its lane full or paused waits there; it is not rung again and again for nothing.
local function must_wait(id, lane)
  local room, accepted = unpack(redis.call('HMGET', job_key(id), 'room', 'accepted'))
  if not paused_until(lane) and free(lane, room) > 0 then return false end
  wait_in_lane(id, lane, accepted)
  return true
end

local function look_at(member)
  if member:sub(1, #LANE) == LANE then
    redis.call('ZREM', DUE, member)
    local lane = member:sub(#LANE + 1)
    local reopens = paused_until(lane)
    if not reopens then admit(lane, grace, ALL) end
    if redis.call('EXISTS', waiting_key(lane)) == 1 then
      redis.call('ZADD', DUE, reopens or NOW + LANE_PATIENCE, member)
    end
    return
  end
  local state, line, lane, lost = unpack(redis.call('HMGET', job_key(member), 'state', 'line', 'lane', 'lost'))
  if state == 'running' then
    if was_away and tonumber(lost or 0) < BELIEVED then redis.call('HINCRBY', job_key(member), 'claims', -1) end
    take_back(member, lane, grace, moment, 'The worker that ran this attempt died or was cut off.')
  elseif (state == 'queued' or state == 'retrying') and at_head(member, line) then
    if not must_wait(member, lane) then ring_again(member) end
  else
    redis.call('ZREM', DUE, member)
  end
end

local late = redis.call('ZRANGEBYSCORE', DUE, '-inf', NOW, 'LIMIT', 0, ARGV[1])
for _, member in ipairs(late) do look_at(member) end
if #late < tonumber(ARGV[1]) then redis.call('SET', 'rdv:swept', NOW) end
return {#late, rings}
