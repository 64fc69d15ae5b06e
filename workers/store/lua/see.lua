-- Remember events as they are met for the first time, save those that are known.
-- ARGV: watch, then event, snapshot (JSON) …
-- Result: 1, or 0 where there is no such watch any more: then nothing is kept of its mailbox
if redis.call('EXISTS', 'rdv:watch:' .. ARGV[1]) == 0 then return 0 end
for i = 2, #ARGV, 2 do redis.call('HSETNX', 'rdv:snapshots:' .. ARGV[1], ARGV[i], ARGV[i + 1]) end
return 1
