-- Bring a dead letter back to the end of its line. Its attempts are kept; its intent, too, with the event as it was first
-- read; and its place in the order of acceptance, in which it comes back with others if it dies again.
-- ARGV: id, token (unique to this replay), body, deadline (ms since 1970; both '' to leave them as they are), grace (ms)
-- Result: {1, rings}, or {0, {}} where it is no dead letter
local id, token, body, deadline, grace = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local key = job_key(id)
local state, line, lane, client, replay, attempted =
  unpack(redis.call('HMGET', key, 'state', 'line', 'lane', 'client', 'replay', 'attempted'))
if replay == token then return {1, {}} end
if state ~= 'dead' or redis.call('ZREM', dead_key(client), id) == 0 then return {0, {}} end

redis.call('HSET', key, 'state', 'queued', 'replay', token, 'claims', 0, 'replayed_at', attempted or 0, 'since', NOW)
if body ~= '' then redis.call('HSET', key, 'body', body) end
if deadline ~= '' then redis.call('ZADD', DEADLINES, deadline, id) end
redis.call('HDEL', key, 'finished', 'error', 'result', 'lost', 'callback')
redis.call('PERSIST', key)
count(id, 1)
moved(id, nil, 'queued')
if redis.call('RPUSH', line_key(line), id) == 1 then come_forward(id, lane, grace) end
return {1, rings}
