-- Take notifications in: each becomes a job, unless the same was heard of before, or a job that has not begun yet will
-- see what it tells of. Not allowed when the store is full: who sends them sends them again.
-- ARGV: grace (ms), life of what was heard (ms), how it was heard of ('told' by Exchange, 'found' where nobody tells,
--       'late': found although it should have been told), then of each: job id, watch, line, lane, room, owner, body,
--       label, what it is known by (a hash)
-- Result: {how many became jobs, rings}
local grace, life, how = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local new = 0
local known_watches = {}

-- Whether anybody wants to know of this mailbox. What it was told moves its longest silence, which is forgotten by and by.
local MEMORY = 8 * 7 * 86400000
local function listened_to(watch)
  local key = 'rdv:watch:' .. watch
  if redis.call('EXISTS', key) == 0 then return false end
  if how == 'told' then
    local heard, usual = unpack(redis.call('HMGET', key, 'heard', 'usual'))
    local silence = math.min(NOW - (heard or NOW), MEMORY)
    usual = math.max(silence, (usual or 0) * (1 - silence / MEMORY))
    redis.call('HSET', key, 'heard', NOW, 'usual', string.format('%d', usual))
  end
  return true
end

-- Whether Exchange says so, and not only we miss the event (Notification.says_deleted).
local FOUND = 'found '
local function says_deleted(told) return told.change == 'deleted' and string.sub(told.version, 1, #FOUND) ~= FOUND end

-- Whether a job waits that will see to it. If it then stands for more than one version, it has to look whichever of
-- them it knows; and for the deletion, or else the creation, if one of them is it. A deletion that a creation comes
-- after is not believed unseen, as if only we missed the event: it may have been brought back.
local function waits_already(line, label, body)
  local last = redis.call('LINDEX', line_key(line), -1)
  if not last then return false end
  local state, its_label, its_body = unpack(redis.call('HMGET', job_key(last), 'state', 'label', 'body'))
  if state ~= 'queued' or its_label ~= label then return false end
  local both, new = cjson.decode(its_body), cjson.decode(body)
  local believed = says_deleted(new) or (says_deleted(both) and new.change ~= 'created')
  if new.version ~= both.version then both.version = '' end
  if new.change == 'deleted' or (new.change == 'created' and both.change ~= 'deleted') then both.change = new.change end
  if both.change == 'deleted' and not believed then both.version = FOUND end
  redis.call('HSET', job_key(last), 'body', cjson.encode(both))
  return true
end

-- A thousand come at once for two that may run: who finds the lane full or others waiting waits there at once, unrung.
-- Wherever somebody waits, somebody runs or was rung, who lets the next one in. Who found others waiting waits already.
local function park(id, line, lane, room)
  if not at_head(id, line) or redis.call('ZSCORE', waiting_key(lane), id) then return end
  if free(lane, room) < 1 then
    wait_in_lane(id, lane, redis.call('HGET', job_key(id), 'accepted'))
    rings[#rings] = nil
  end
end

for i = 4, #ARGV, 9 do
  local id, watch, line, lane, room, owner, body, label, known = unpack(ARGV, i, i + 8)
  if known_watches[watch] == nil then known_watches[watch] = listened_to(watch) end
  if known_watches[watch] and redis.call('SET', 'rdv:heard:' .. known, id, 'NX', 'PX', life)
    and not waits_already(line, label, body) then
    new = new + 1
    enqueue('notification', grace, id, body, '', owner, line, lane, room, label)
    park(id, line, lane, room)
    if how == 'late' then
      redis.call('HINCRBY', 'rdv:total', 'late/notification///' .. string.match(lane, '^watch/([^/]*)'), 1)
    end
  end
end
return {new, rings}
