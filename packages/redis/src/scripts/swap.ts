import { onlineReplicas, Script } from './script.js'

/**
 * Writes the directory if its version is as expected. KEYS: the directory. ARGV: the expected version or nothing, the text.
 * A version is a number that grows and a digest of the text: two that a failover gave the same number still differ.
 * Answers false, or the new version and how many replicas are attached.
 */
export const swapScript = new Script(`
local replicas = ${onlineReplicas}
local known = redis.call('HMGET', KEYS[1], 'version', 'swaps')
if (known[1] or '') ~= ARGV[1] then return false end
local number = string.format('%.0f', tonumber(known[2] or '0') + 1)
local version = number .. '.' .. string.sub(redis.sha1hex(ARGV[2]), 1, 16)
redis.call('HSET', KEYS[1], 'swaps', number, 'version', version, 'text', ARGV[2])
return {version, replicas}
`)
