import { onlineReplicas, Script } from './script.js'

/**
 * Freezes a shard. KEYS: the shard. ARGV: fields. Answers with what HMGET answers for them, how many replicas are attached, and
 * which fields of records stand there beside them.
 */
export const sealScript = new Script(`
local replicas = ${onlineReplicas}
local contents = redis.pcall('HMGET', KEYS[1], unpack(ARGV))
if contents.err then return contents end
local asked, others = {}, {}
for _, field in ipairs(ARGV) do asked[field] = true end
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if not asked[field] and not string.find(field, '^~spillway~[^=]') then others[#others + 1] = field end
end
redis.call('HSET', KEYS[1], '~spillway~sealed', '1')
return {contents, replicas, others}
`)
