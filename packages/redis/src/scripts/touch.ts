import { Script } from './script.js'

/**
 * Writes the directory's version once more, so that a WAIT behind it covers the swap. KEYS: the directory. ARGV: the version.
 * Answers `stands`, or `gone` when it is another by now.
 */
export const touchScript = new Script(`
if redis.call('HGET', KEYS[1], 'version') ~= ARGV[1] then return 'gone' end
redis.call('HSET', KEYS[1], 'version', ARGV[1])
return 'stands'
`)
