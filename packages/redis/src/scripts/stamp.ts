import { onlineReplicas, Script } from './script.js'

/**
 * Keeps a route with a shard, unless a stamp of the same or a later revision is there, which is then written once more.
 * KEYS: the shard. ARGV: revision, text. Answers with how many replicas are attached.
 */
export const stampScript = new Script(`
local replicas = ${onlineReplicas}
local stamp = redis.call('HGET', KEYS[1], '~spillway~route')
if not stamp or tonumber(string.match(stamp, '^%d+')) < tonumber(ARGV[1]) then stamp = ARGV[1] .. ':' .. ARGV[2] end
redis.call('HSET', KEYS[1], '~spillway~route', stamp)
return replicas
`)
