// Problem: items of a place must come back in order, a newer version must never give way to an older one, and a place must move,
//   expire and vanish as a whole.
// Scheme: a place is one sorted set in which every score is 0, so that Redis orders its members by their bytes. A member is an
//   item: the letter of the sort values' type, the sort value, NUL, the stamp, a line break, the item's JSON. Instead of JSON a
//   tombstone has the millisecond from which on it may go; a second member, `t`, that millisecond and the sort value, finds it
//   then. Beside them stand the place's head, which says whose it is and of which type, and `r` and the route.
// Invariants: at most one member a sort value; the order of members is that of `sortBytes`: in a text NUL is followed by `~`,
//   behind a whole sort value by a digit or a minus, so that a value comes before all that begin with it; a place without items,
//   tombstones and route does not exist.
// Cost: a look-up by bisection a change, and one more to put. The whole member is what is compared and hashed: an item of 1 MB
//   holds Redis up for milliseconds.
// Source: redis.io/docs/latest/commands/zrangebylex (memcmp); docs/routing.md, «Rules for collections».

/** The member by which a place of items is known, for each type of sort values. */
export function headOf(type: string): string {
  return `~spillway~${type}`
}

/**
 * Lua: `foreign(key, head)` answers with an error unless the key is a place of such items, or does not exist (nil, and false as
 * the second result), or is a hash with nothing in it but a route (nil, and the route). Asked for a look alone, it takes a sealed
 * shard without fields for a place without items: whoever merges back a key of which nothing is known to stand there seals it.
 */
export const foreignSource = `
local function foreign(key, head, isLook)
  local score = redis.pcall('ZSCORE', key, head)
  if type(score) == 'string' then return nil, nil end
  if not score and redis.call('EXISTS', key) == 0 then return nil, false end
  if score and not string.find(score.err, 'WRONGTYPE', 1, true) then return score end
  local route = score and redis.pcall('HGET', key, '~spillway~route')
  if type(route) == 'string' and redis.call('HLEN', key) == 1 then return nil, route end
  if isLook and score and type(route) ~= 'table' and redis.call('HEXISTS', key, '~spillway~sealed') == 1 then
    local isEmpty = true
    for _, field in ipairs(redis.call('HKEYS', key)) do isEmpty = isEmpty and string.find(field, '^~spillway~[^=]') end
    if isEmpty then return nil, route end
  end
  if type(route) == 'table' and not string.find(route.err, 'WRONGTYPE', 1, true) then return route end
  local message = 'The key holds something else than items whose sort values are of type ' .. string.sub(head, 11) .. '.'
  return redis.error_reply('SPILLWAY ' .. message)
end
`

/** Lua: `itemAt(key, sort)` answers with the member of a sort value, or nil. */
export const itemSource = `
local function itemAt(key, sort)
  return redis.call('ZRANGEBYLEX', key, '[' .. sort .. '\\0', '(' .. sort .. '\\0:', 'LIMIT', 0, 1)[1]
end
`

/** Lua: `routeAt(key)` answers with the route of a place of items, or nil. */
export const routeSource = `
local function routeAt(key)
  local route = redis.call('ZRANGEBYLEX', key, '[r', '(s', 'LIMIT', 0, 1)[1]
  return route and string.sub(route, 2)
end
`
