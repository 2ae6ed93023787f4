import { Script } from './script.js'

/**
 * Empties a sealed shard and lets it expire; what Spillway keeps in it stays until then. KEYS: the shard. ARGV: milliseconds
 * until it may go. Answers 1, or 0 when the shard is not sealed, and then nothing is changed. An expiry that is set stays.
 */
export const clearScript = new Script(`
if redis.call('HEXISTS', KEYS[1], '~spillway~sealed') == 0 then return 0 end
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if not string.find(field, '^~spillway~[^=]') then redis.call('HDEL', KEYS[1], field) end
end
if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return 1
`)
