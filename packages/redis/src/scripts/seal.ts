import { onlineReplicas, Script } from './script.js'

/**
 * Freezes a shard. KEYS: the shard. ARGV: fields. Answers with what HMGET answers for them, and how many replicas are attached.
 */
export const sealScript = new Script(`
local replicas = ${onlineReplicas}
local contents = redis.pcall('HMGET', KEYS[1], unpack(ARGV))
if contents.err then return contents end
redis.call('HSET', KEYS[1], '~spillway~sealed', '1')
return {contents, replicas}
`)
