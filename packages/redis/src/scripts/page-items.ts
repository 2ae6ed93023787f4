// Problem: a page of a thousand items may be a few kilobytes or a gigabyte.
// Scheme: members are read in pieces: few at first, then as many as there is room for if the rest is like what came so far, but
//   at most four times as many as those.
// Invariants: a page that was asked for has at least one item if there is one; what Lua holds is bounded by a page and a piece.
// Cost: one ZRANGEBYLEX for each piece, 17 for a thousand small items.
// Source: scripts/items.ts.

import { foreignSource, routeSource } from './items.js'
import { Script } from './script.js'

/** The least and the most members that are read at a time. */
const pieceMin = 4
const pieceMax = 64

/** A page ends with the item that reaches so many bytes: the same as a DynamoDB Query's. */
const pageBytesMax = 1_048_576

/**
 * KEYS: the place. ARGV: the head; the range's ends as ZRANGEBYLEX takes them, lower and upper; `ascending` or `descending`; how
 * many. Answers with the place's route or false, whether there are more (1 or 0), and the members.
 */
export const pageItemsScript = new Script(`
local key, lower, upper, limit = KEYS[1], ARGV[2], ARGV[3], tonumber(ARGV[5])
${foreignSource}
${routeSource}
local refusal, route = foreign(key, ARGV[1], true)
if refusal then return refusal end
if route ~= nil then return {route, 0, {}} end
local isAscending = ARGV[4] == 'ascending'
local members, bytes = {}, 0
while true do
  local room = ${pieceMin}
  if bytes > 0 then room = math.ceil((${pageBytesMax} - bytes) / (bytes / #members)) end
  local count = math.max(1, math.min(room, 4 * math.max(1, #members), ${pieceMax}, limit + 1 - #members))
  local piece
  if isAscending then
    piece = redis.call('ZRANGEBYLEX', key, lower, upper, 'LIMIT', 0, count)
  else
    piece = redis.call('ZREVRANGEBYLEX', key, upper, lower, 'LIMIT', 0, count)
  end
  for _, member in ipairs(piece) do
    if #members == limit or bytes >= ${pageBytesMax} then return {routeAt(key) or false, 1, members} end
    members[#members + 1] = member
    bytes = bytes + #member
  end
  if #piece < count then return {routeAt(key) or false, 0, members} end
  if isAscending then lower = '(' .. piece[#piece] else upper = '(' .. piece[#piece] end
end
`)
