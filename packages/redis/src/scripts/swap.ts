import { Script } from './script.js'

/**
 * Writes the directory if its version is as expected. KEYS: the directory. ARGV: the expected version or nothing, the text.
 * A version is a number that grows and a digest of the text: two that a failover gave the same number still differ.
 * Answers false, or the new version and how many replicas are attached.
 */
export const swapScript = new Script(`
local version = redis.call('HGET', KEYS[1], 'version') or ''
if version ~= ARGV[1] then return false end
local number = redis.call('HINCRBY', KEYS[1], 'swaps', 1)
version = string.format('%.0f', number) .. '.' .. string.sub(redis.sha1hex(ARGV[2]), 1, 16)
redis.call('HSET', KEYS[1], 'version', version, 'text', ARGV[2])
local replicas = string.match(redis.call('INFO', 'replication'), 'connected_slaves:(%d+)') or '0'
return {version, tonumber(replicas)}
`)

/**
 * Writes to the directory again, unless it is another one by now, so that a WAIT on this very connection covers the swap.
 * KEYS: the directory. ARGV: the version that was swapped in. Answers 1, or 0 when it stands there no more.
 */
export const touchScript = new Script(`
if redis.call('HGET', KEYS[1], 'version') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'touched', ARGV[1])
return 1
`)
