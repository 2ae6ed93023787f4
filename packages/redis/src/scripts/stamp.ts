import { onlineReplicas, Script } from './script.js'

/**
 * Keeps a route with a shard, unless a stamp of the same or a later revision is there, which is then written once more.
 * A counter in a string is first turned into a hash. A key with an expiry is refused: its other shards would outlive it.
 * KEYS: the shard. ARGV: revision, text, the field of adopted strings or nothing. Answers with how many replicas are attached.
 */
export const stampScript = new Script(`
local key, adopted = KEYS[1], ARGV[3]
local replicas = ${onlineReplicas}
local stamp = redis.pcall('HGET', key, '~spillway~route')
local isString = type(stamp) == 'table' and adopted ~= '' and redis.call('TYPE', key).ok == 'string'
if type(stamp) == 'table' and not isString then return stamp end
if isString or not stamp or tonumber(string.match(stamp, '^%d+')) < tonumber(ARGV[1]) then
  if redis.call('PTTL', key) >= 0 then
    return redis.error_reply('SPILLWAY A key with an expiry is not spread, for its other shards would outlive it. Give it none (PERSIST), or let it stay on one shard.')
  end
  stamp = ARGV[1] .. ':' .. ARGV[2]
end
if isString then
  local text = redis.call('GET', key)
  if text ~= '0' and not string.match(text, '^-?[1-9]%d*$') then
    return redis.error_reply('SPILLWAY The key holds a string that is not a whole number.')
  end
  -- That HSET is refused for the type, and for nothing else, says that it is permitted: only then may the string go.
  local probe = redis.pcall('HSET', key, adopted, text)
  if not string.find(probe.err, 'WRONGTYPE', 1, true) then return probe end
  redis.call('DEL', key)
  redis.call('HSET', key, adopted, text)
end
redis.call('HSET', key, '~spillway~route', stamp)
return replicas
`)
