-- Take an update in: its idempotency key, the job, its place in its line, its due time - all or nothing.
-- Not allowed when the store is full: the caller is told to come again.
-- ARGV: id, body, client, owner, line, lane, room, label, idempotency key ('' for none), fingerprint, key's life (ms), grace (ms)
-- Result: {id that the key stands for, its fingerprint, rings}
local id, body, client, owner, line, lane, room, label = unpack(ARGV, 1, 8)
local key, fingerprint, life, grace = ARGV[9], ARGV[10], ARGV[11], tonumber(ARGV[12])

local earlier = redis.call('HMGET', 'rdv:key:' .. key, 'id', 'fingerprint')
if earlier[1] then return {earlier[1], earlier[2], {}} end

redis.call('HSET', 'rdv:key:' .. key, 'id', id, 'fingerprint', fingerprint)
redis.call('PEXPIRE', 'rdv:key:' .. key, life)
enqueue(id, line, grace, {'kind', 'update', 'body', body, 'client', client, 'owner', owner, 'line', line,
  'lane', lane, 'room', room, 'label', label})
redis.call('ZADD', 'rdv:updates:' .. client, NOW, id)
return {id, fingerprint, rings}
