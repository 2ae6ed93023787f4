import { Script } from './script.js'

/** Freezes a shard and answers with its contents. KEYS: the shard. ARGV: the fields. Answers like HMGET of them. */
export const sealScript = new Script(`
local contents = redis.pcall('HMGET', KEYS[1], unpack(ARGV))
if contents.err then return contents end
redis.call('HSET', KEYS[1], '~spillway~sealed', '1')
return contents
`)
