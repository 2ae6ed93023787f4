// Problem: dedupe, seal, absorb and merge must be one atomic step, whatever arrives late, twice or at once.
// Scheme: one script on one hash. It first answers what needs no change (done, expired, sealed), then works out every field that
//   may refuse, then adds the integers, and only then sets the rest together with the number or the record of what was absorbed.
// Invariants: all fields or none: whatever Redis refuses half-way, for a value or for want of a permission, what was added before
//   is taken back; integers are added by HINCRBY alone and never pass through Lua's doubles, but for comparisons of sequence
//   numbers and generations, which are safe integers; floats, maxima and minima are doubles by definition. Text is compared as
//   JavaScript compares it (by UTF-16), so that store and process agree.
// Cost: what most writes are, one whole number by a known writer, runs HMGET, HINCRBY and HSET, and makes no table or closure of
//   its own: about 3 µs of Redis, of which a script that does nothing takes 1; a bare HINCRBY takes 0.2. Other rules read their
//   fields first. A writer that is new to the shard pays for housekeeping: HRANDFIELD of sixteen, so that forgotten writers cannot
//   pile up.
// Source: docs/routing.md, rules dedupe, seal, absorb and absorbed; src/script.c and src/t_hash.c of Redis 7.0.

import { onlineReplicas, Script } from './script.js'

/**
 * KEYS: the shard. ARGV: the writer's field or nothing, its number, forget up to. Then, for what nearly every write is, the name
 * and the amount of its only field; else `write` or `confirm`, the field of adopted strings or nothing, how many sums there are,
 * after how many milliseconds the place may go or nothing, a name and an amount for each sum, and four arguments for each other
 * field: operation, name, state, and for `c` the digest of what the state was merged with. For `absorb`: nothing, `index:generation`, nested records as `index:generation,…`, and on as for
 * `write`. What is found done is written once more by `confirm` and `absorb`, for a WAIT that follows.
 *
 * Answers `done`, `sealed`, [`expired`, number] or, when a digest does not hold any more, [`retry`, text, digest, …] for each
 * `c`; to `absorb`, [`done`, replicas that are attached]. Errors name a field by its position.
 */
export const applyScript = new Script(`
local key, writer, number = KEYS[1], ARGV[1], ARGV[2]
local meta = redis.pcall('HMGET', key, '~spillway~sealed', '~spillway~forgotten', writer)
local last = meta[3]

-- Nearly every write: one whole number, by a writer that is known here, with a number of as many digits and greater.
local isPlain = not ARGV[6]
local isKnown = isPlain and last and not meta[1] and #last == #number and last < number
local sum = isKnown and redis.pcall('HINCRBY', key, ARGV[4], ARGV[5])
if isKnown and type(sum) == 'number' and type(redis.pcall('HSET', key, writer, number)) == 'number' then
  return 'done'
end

local function undo(name, amount)
  if amount == '0' then return end
  redis.call('HINCRBY', key, name, string.sub(amount, 1, 1) == '-' and string.sub(amount, 2) or '-' .. amount)
end
-- Whatever was refused is refused once more below, and named.
if isKnown and type(sum) == 'number' then undo(ARGV[4], ARGV[5]) end

local mode, adopted, sumCount, stayMs, sums = ARGV[4], ARGV[5], tonumber(ARGV[6]), ARGV[7], 6
if isPlain then mode, adopted, sumCount, stayMs, sums = 'write', '', 1, '', 2 end
local adoptedText
if meta.err then
  if adopted == '' or redis.call('TYPE', key).ok ~= 'string' then return meta end
  adoptedText = redis.call('GET', key)
  if adoptedText ~= '0' and not string.match(adoptedText, '^-?[1-9]%d*$') then
    return redis.error_reply('SPILLWAY The key holds a string that is not a whole number.')
  end
  meta, last = {false, false, false}, false
end
local sealed, forgotten = meta[1], meta[2]
local sets, replicas = {}, nil

if mode == 'absorb' then
  replicas = ${onlineReplicas}
  local highest, order = {}, {}
  local function record(text)
    for index, generation in string.gmatch(text, '(%d+):(%d+)') do
      if not highest[index] then order[#order + 1] = index end
      if not highest[index] or tonumber(generation) > tonumber(highest[index]) then highest[index] = generation end
    end
  end
  local absorbedText = not adoptedText and redis.call('HGET', key, '~spillway~absorbed') or ''
  record(absorbedText)
  local index, generation = string.match(number, '(%d+):(%d+)')
  if highest[index] and tonumber(highest[index]) >= tonumber(generation) then
    redis.call('HSET', key, '~spillway~absorbed', absorbedText)
    return {'done', replicas}
  end
  if sealed then
    return redis.error_reply('SPILLWAY A sealed shard takes in nothing: absorb into the shard that stays.')
  end
  record(number)
  record(ARGV[3])
  for i, each in ipairs(order) do order[i] = each .. ':' .. highest[each] end
  sets = {'~spillway~absorbed', table.concat(order, ',')}
else
  if writer ~= '' then
    local given = tonumber(number)
    if last and given <= tonumber(last) then
      if mode == 'confirm' then redis.pcall('HSET', key, writer, last) end
      return 'done'
    end
    if not last and forgotten and given <= tonumber(forgotten) then return {'expired', forgotten} end
    sets = {writer, number}
  end
  if sealed then return 'sealed' end
end

local others = sums + 2 + 2 * sumCount
if #ARGV >= others then
  local function less(a, b)
    local n = math.min(#a, #b)
    for i = 1, n do
      local x, y = string.byte(a, i), string.byte(b, i)
      if x ~= y then
        -- In UTF-16 what takes four bytes in UTF-8 stands before U+E000 to U+FFFF.
        if x == 238 or x == 239 then x = x + 16 end
        if y == 238 or y == 239 then y = y + 16 end
        return x < y
      end
    end
    return #a < #b
  end

  local function finite(text)
    local value = tonumber(text)
    if value and value == value and value ~= math.huge and value ~= -math.huge then return value end
  end

  local function decoded(text)
    local ok, value = pcall(cjson.decode, text)
    if ok and type(value) == 'table' then return value end
  end

  local function older(a, b)
    if a[1] ~= b[1] then return a[1] < b[1] end
    if a[2] ~= b[2] then return a[2] < b[2] end
    if a[3] ~= b[3] then return less(a[3], b[3]) end
    return less(a[4], b[4])
  end

  -- Each answers with the new state, or nil to leave the stored one, or false and why not.
  local merges = {}

  function merges.f(stored, state)
    local total = finite(stored) and finite(stored) + tonumber(state)
    if not total then return false, 'is stored as something else than a number' end
    if not finite(total) then return false, 'would leave the range of doubles' end
    return string.format('%.17g', total)
  end

  function merges.x(stored, state)
    if not finite(stored) then return false, 'is stored as something else than a number' end
    if tonumber(state) > finite(stored) then return state end
  end

  function merges.n(stored, state)
    if not finite(stored) then return false, 'is stored as something else than a number' end
    if tonumber(state) < finite(stored) then return state end
  end

  function merges.l(stored, state)
    local known = decoded(stored)
    if not known or type(known[1]) ~= 'number' or type(known[2]) ~= 'number' or type(known[3]) ~= 'string'
      or type(known[4]) ~= 'string' then
      return false, 'is stored as something else than a latest'
    end
    if older(known, decoded(state)) then return state end
  end

  function merges.u(stored, state)
    local known = decoded(stored)
    if not known then return false, 'is stored as something else than a union' end
    local has, before = {}, #known
    for _, element in ipairs(known) do has[element] = true end
    for _, element in ipairs(decoded(state)) do
      if not has[element] then known[#known + 1] = element end
    end
    if #known > before then return cjson.encode(known) end
  end

  local names, stored = {}, {}
  for i = others, #ARGV, 4 do names[#names + 1] = ARGV[i + 1] end
  if adoptedText then
    for i, name in ipairs(names) do stored[i] = name == adopted and adoptedText end
  else
    stored = redis.call('HMGET', key, unpack(names))
  end

  local retry, isStale = {'retry'}, false
  for i = others, #ARGV, 4 do
    local op, state, nth = ARGV[i], ARGV[i + 2], (i - others) / 4 + 1
    local known, new, why = stored[nth], state, nil
    if op == 'c' then
      local digest = known and redis.sha1hex(known) or ''
      if digest ~= ARGV[i + 3] then isStale = true end
      retry[#retry + 1] = known
      retry[#retry + 1] = digest
    elseif known then
      new, why = merges[op](known, state)
      if new == false then return redis.error_reply('SPILLWAY ' .. (sumCount + nth) .. ' ' .. why) end
      if new == nil and mode == 'confirm' then new = known end
    end
    if new then
      sets[#sets + 1] = names[nth]
      sets[#sets + 1] = new
    end
  end
  if isStale then return retry end
end

if adoptedText then
  -- Whatever is not permitted is refused before the string is gone; that HSET is refused for the type says that it is permitted.
  local ttl = redis.call('PTTL', key)
  if ttl > 0 then redis.call('PEXPIRE', key, ttl) end
  local probe = redis.pcall('HSET', key, adopted, adoptedText)
  if not string.find(probe.err, 'WRONGTYPE', 1, true) then return probe end
  redis.call('DEL', key)
  redis.call('HSET', key, adopted, adoptedText)
  if ttl > 0 then redis.call('PEXPIRE', key, ttl) end
end

local before, added, failure
if sumCount > 1 then
  local names = {}
  for i = 1, sumCount do names[i] = ARGV[sums + 2 * i] end
  before = redis.call('HMGET', key, unpack(names))
end
for i = 1, sumCount do
  local reply = redis.pcall('HINCRBY', key, ARGV[sums + 2 * i], ARGV[sums + 1 + 2 * i])
  if type(reply) == 'table' then
    failure = reply
    if string.find(reply.err, 'overflow', 1, true) then
      failure = redis.error_reply('SPILLWAY ' .. i .. ' would leave the range of 64 bits')
    elseif string.find(reply.err, 'not an integer', 1, true) then
      failure = redis.error_reply('SPILLWAY ' .. i .. ' is stored as something else than a whole number')
    end
    break
  end
  added = i
end
-- Answers 0 where there is no key yet; then it says only that it is permitted.
local expired = not failure and stayMs ~= '' and redis.pcall('PEXPIRE', key, stayMs)
if type(expired) == 'table' then failure = expired end
if not failure and #sets > 0 then
  local reply = redis.pcall('HSET', key, unpack(sets))
  if type(reply) == 'table' then failure = reply end
end
if not failure and expired == 0 then redis.call('PEXPIRE', key, stayMs) end
if failure then
  for i = 1, added or 0 do
    undo(ARGV[sums + 2 * i], ARGV[sums + 1 + 2 * i])
    if before and not before[i] then redis.pcall('HDEL', key, ARGV[sums + 2 * i]) end
  end
  return failure
end

if mode == 'absorb' then return {'done', replicas} end
if writer ~= '' and not last then
  -- The change is in: whatever is refused from here on is left for the next writer.
  local writers, gone = {}, {}
  for _, field in ipairs(redis.pcall('HRANDFIELD', key, 16)) do
    if string.sub(field, 1, 12) == '~spillway~w:' and field ~= writer then writers[#writers + 1] = field end
  end
  local numbers = #writers > 0 and redis.pcall('HMGET', key, unpack(writers)) or {}
  for i, known in ipairs(numbers) do
    if tonumber(known) <= tonumber(ARGV[3]) then
      gone[#gone + 1] = writers[i]
      if not forgotten or tonumber(known) > tonumber(forgotten) then forgotten = known end
    end
  end
  -- First what is to be remembered of them: who is forgotten without it could be counted twice.
  if #gone > 0 and type(redis.pcall('HSET', key, '~spillway~forgotten', forgotten)) ~= 'table' then
    redis.pcall('HDEL', key, unpack(gone))
  end
end
return 'done'
`)
