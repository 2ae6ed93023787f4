// Problem: to compare stamps, to replace an item and to keep its tombstone must be one atomic step.
// Scheme: what stands under the sort value is looked up, and its stamp compared as JavaScript compares them: numbers as doubles,
//   the writer by its bytes. Then one member goes and one comes. What is found done already is written once more, so that a WAIT
//   that follows covers it.
// Invariants: whatever Redis refuses, for want of memory or of a permission, is refused before anything is changed: the head
//   is added, which changes nothing where it is there, before the old member goes.
// Cost: a new item runs ZRANGEBYLEX twice, ZSCORE and ZADD; one that replaces another ZADD and ZREM on top.
// Source: scripts/items.ts.

import { foreignSource, itemSource, routeSource } from './items.js'
import { Script } from './script.js'

/** So many expired tombstones a change takes away in passing. */
const sweptMax = 4

/**
 * KEYS: the place. ARGV: `put`, `tombstone` or `remove`; the head; the type's letter and the sort value; the stamp as
 * `time order writer`; the JSON to put or how many milliseconds a tombstone stays; `confirm` where a WAIT follows.
 * Answers `done`; [`done`, the place's route] to a delete where there is one; or [`newer`, the stamp that is there, the route or false].
 */
export const changeItemScript = new Script(`
local key, mode, head, sort, stamp, body = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
${foreignSource}
${itemSource}
${routeSource}
local refusal, route = foreign(key, head, mode ~= 'put')
if refusal then return refusal end
-- A place that was given up before an item came to it: nothing can be put there any more.
if route ~= nil and mode ~= 'put' and redis.call('HEXISTS', key, '~spillway~sealed') == 1 then
  return route and {'done', route} or 'done'
end
-- Told to a delete: who does not know the route has not reached all places of the item.
local stamped = mode ~= 'put' and (route or route == nil and routeAt(key)) or false

-- Redis compares texts by its locale.
local function less(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end

local function isNewer(a, b)
  local timeA, orderA, writerA = string.match(a, '^(%S+) (%S+) (.*)$')
  local timeB, orderB, writerB = string.match(b, '^(%S+) (%S+) (.*)$')
  timeA, orderA, timeB, orderB = tonumber(timeA), tonumber(orderA), tonumber(timeB), tonumber(orderB)
  if timeA ~= timeB then return timeA > timeB end
  if orderA ~= orderB then return orderA > orderB end
  return less(writerB, writerA)
end

local function msOf(now)
  return now[1] * 1000 + math.floor(now[2] / 1000)
end

local function indexOf(goneMs, name)
  return string.format('t%015.0f ', goneMs) .. name
end

-- The stamp of a member of this sort value, and when it may go if it is a tombstone.
local function partsOf(member, name)
  local line = string.find(member, '\\n', #name + 2, true)
  local goneMs = string.byte(member, line + 1) ~= 123 and string.sub(member, line + 1)
  return string.sub(member, #name + 2, line - 1), goneMs and tonumber(goneMs)
end

local known = route == nil and itemAt(key, sort)
local knownStamp, knownGoneMs
if known then knownStamp, knownGoneMs = partsOf(known, sort) end
local isOutdone = known and isNewer(knownStamp, stamp)

if isOutdone or mode == 'remove' and not known then
  -- Nothing is to be changed; a WAIT covers only what its connection has written.
  if ARGV[6] == 'confirm' and not route then
    if redis.call('ZADD', key, 0, head) == 1 then
      redis.call('ZREM', key, head)
    else
      redis.call('ZREM', key, head)
      redis.call('ZADD', key, 0, head)
    end
  end
  if isOutdone then return {'newer', knownStamp, stamped} end
  return stamped and {'done', stamped} or 'done'
end

local function drop(member, name, goneMs)
  if goneMs then return redis.call('ZREM', key, member, indexOf(goneMs, name)) end
  return redis.call('ZREM', key, member)
end

if mode == 'put' or mode == 'tombstone' then
  local member, index = sort .. '\\0' .. stamp .. '\\n', nil
  if mode == 'put' then
    member = member .. body
  else
    local goneMs = math.max(msOf(redis.call('TIME')) + tonumber(body), knownGoneMs or 0)
    member, index = member .. string.format('%.0f', goneMs), indexOf(goneMs, sort)
  end
  if route then
    -- It was stamped before there was an item. That ZADD is refused for the type, and for nothing else, says that it is permitted.
    local probe = redis.pcall('ZADD', key, 0, head)
    if not string.find(probe.err, 'WRONGTYPE', 1, true) then return probe end
    local ttl = redis.call('PTTL', key)
    if ttl > 0 then redis.call('PEXPIRE', key, ttl) end
    redis.call('HDEL', key, '~spillway~route')
    redis.call('ZADD', key, 0, 'r' .. route)
    if ttl > 0 then redis.call('PEXPIRE', key, ttl) end
  end
  if known then
    redis.call('ZADD', key, 0, head)
    drop(known, sort, knownGoneMs)
  end
  if index then
    redis.call('ZADD', key, 0, head, 0, member, 0, index)
  else
    redis.call('ZADD', key, 0, head, 0, member)
  end
else
  drop(known, sort, knownGoneMs)
end

-- The change is in: whatever is refused from here on is left for the next change.
local expired = redis.pcall('ZRANGEBYLEX', key, '[t', '(u', 'LIMIT', 0, ${sweptMax})
local now = #expired > 0 and redis.pcall('TIME')
for _, each in ipairs(expired) do
  if now.err or tonumber(string.sub(each, 2, 16)) > msOf(now) then break end
  local name = string.sub(each, 18)
  local member = itemAt(key, name)
  local goneMs = member and select(2, partsOf(member, name))
  if goneMs and indexOf(goneMs, name) == each then redis.pcall('ZREM', key, member) end
  redis.pcall('ZREM', key, each)
end
if mode ~= 'put' and redis.pcall('ZCARD', key) == 1 then redis.pcall('ZREM', key, head) end
return stamped and {'done', stamped} or 'done'
`)
