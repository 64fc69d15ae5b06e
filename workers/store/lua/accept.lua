-- Take an update in: its idempotency key, the job, its place in its line, its due time - all or nothing.
-- Not allowed when the store is full: the caller is told to come again.
-- ARGV: id, body, client, owner, line, lane, room, label, idempotency key, fingerprint, key's life (ms), grace (ms),
--       most unsettled updates of the client, of the mailbox (0 for no limit), deadline (ms since 1970)
-- Result: {id that the key stands for, its fingerprint, rings}, or {'', 'client' | 'mailbox', {}} where too many wait
local id, client, lane = ARGV[1], ARGV[3], ARGV[6]
local key, fingerprint, life, grace = ARGV[9], ARGV[10], ARGV[11], tonumber(ARGV[12])

local earlier = redis.call('GET', 'rdv:key:' .. key)
if earlier then
  local its_id, its_fingerprint = earlier:match('^(%S+) (%S+)$')
  return {its_id, its_fingerprint, {}}
end

local backlog = redis.call('HMGET', 'rdv:backlog', 'client/' .. client, LANE .. lane)
local function full(waiting, most) return most > 0 and tonumber(waiting or 0) >= most end
if full(backlog[1], tonumber(ARGV[13])) then return {'', 'client', {}} end
if full(backlog[2], tonumber(ARGV[14])) then return {'', 'mailbox', {}} end

redis.call('SET', 'rdv:key:' .. key, id .. ' ' .. fingerprint, 'PX', life)
enqueue('update', grace, unpack(ARGV, 1, 8))
redis.call('ZADD', 'rdv:updates:' .. client, NOW, id)
redis.call('ZADD', DEADLINES, ARGV[15], id)
return {id, fingerprint, rings}
