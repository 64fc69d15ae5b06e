-- Note how many jobs may run at once in a mailbox of each backend.
-- ARGV: backend, room …
-- Result: 1
redis.call('HSET', 'rdv:rooms', unpack(ARGV))
return 1
