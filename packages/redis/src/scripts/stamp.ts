import { routeSource } from './items.js'
import { onlineReplicas, Script } from './script.js'

/**
 * Keeps a route with a shard, unless a stamp of the same or a later revision is there, which is then written once more.
 * A counter in a string is first turned into a hash; among items the route is a member. A key with an expiry is refused: its other shards would outlive it.
 * KEYS: the shard. ARGV: revision, text, the field of adopted strings or nothing, `look` or absent. Answers with how many replicas are attached.
 * Asked for a look, it refuses what it would refuse to stamp, and changes nothing.
 */
export const stampScript = new Script(`
local key, adopted = KEYS[1], ARGV[3]
local replicas = ${onlineReplicas}
${routeSource}
local stamp = redis.pcall('HGET', key, '~spillway~route')
local isString = type(stamp) == 'table' and adopted ~= '' and redis.call('TYPE', key).ok == 'string'
local heads = type(stamp) == 'table' and not isString and redis.pcall('ZRANGEBYLEX', key, '[~spillway~', '(~spillway~~', 'LIMIT', 0, 1)
if heads and heads.err and not string.find(heads.err, 'WRONGTYPE', 1, true) then return heads end
if heads and not heads[1] then return stamp end
local known = heads and routeAt(key)
if heads then stamp = known end
if isString or not stamp or tonumber(string.match(stamp, '^%d+')) < tonumber(ARGV[1]) then
  if redis.call('PTTL', key) >= 0 then
    return redis.error_reply('SPILLWAY A key with an expiry is not spread, for its other shards would outlive it. Give it none (PERSIST), or let it stay on one shard.')
  end
  stamp = ARGV[1] .. ':' .. ARGV[2]
end
local text = isString and redis.call('GET', key)
if text and text ~= '0' and not string.match(text, '^-?[1-9]%d*$') then
  return redis.error_reply('SPILLWAY The key holds a string that is not a whole number.')
end
if ARGV[4] == 'look' then return replicas end
if text then
  -- That HSET is refused for the type, and for nothing else, says that it is permitted: only then may the string go.
  local probe = redis.pcall('HSET', key, adopted, text)
  if not string.find(probe.err, 'WRONGTYPE', 1, true) then return probe end
  redis.call('DEL', key)
  redis.call('HSET', key, adopted, text)
end
if heads then
  -- Taken away first, for what changes nothing is not sent to replicas.
  if known then redis.call('ZREM', key, 'r' .. known) end
  redis.call('ZADD', key, 0, 'r' .. stamp)
else
  redis.call('HSET', key, '~spillway~route', stamp)
end
return replicas
`)
