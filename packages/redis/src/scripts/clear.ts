import { Script } from './script.js'

/**
 * Empties a sealed shard and lets it expire; what Spillway keeps in it stays until then. KEYS: the shard. ARGV: milliseconds
 * until it may go. Answers `cleared`, or `open` when the shard is not sealed, and then nothing is changed. Where nothing is left to
 * clear, an expiry that is set stays: whoever clears twice does not keep the place for longer.
 */
export const clearScript = new Script(`
if redis.call('HEXISTS', KEYS[1], '~spillway~sealed') == 0 then return 'open' end
local fields = {}
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if not string.find(field, '^~spillway~[^=]') then fields[#fields + 1] = field end
end
for first = 1, #fields, 1000 do
  redis.call('HDEL', KEYS[1], unpack(fields, first, math.min(first + 999, #fields)))
end
if #fields > 0 or redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return 'cleared'
`)
