// Problem: dedupe, seal, absorb and merge must be one atomic step, whatever arrives late, twice or at once.
// Scheme: one script on one hash. It first answers what needs no change (done, expired, sealed), then works out every field that
//   may refuse, then adds the integers, and only then sets the rest together with the number or the record of what was absorbed.
// Invariants: all fields or none: an addition that fails puts back those before it; integers are added by HINCRBY alone and
//   never pass through Lua's doubles, but for comparisons of sequence numbers and generations, which are safe integers; floats,
//   maxima and minima are doubles by definition. Text is compared as JavaScript compares it (by UTF-16), so that store and
//   process agree.
// Cost: HMGET of three fields, HMGET of the changed ones if any of them needs it, HINCRBY for each sum, one HSET. A writer that
//   is new to the shard pays for housekeeping: HRANDFIELD of sixteen, so that forgotten writers cannot pile up.
// Source: shared protocol, rules dedupe, seal, absorb and absorbed; src/script.c and src/t_hash.c of Redis 7.0.

import { Script } from './script.js'

/**
 * KEYS: the shard. ARGV: `write`, writer or nothing, number, forget up to; or `absorb`, index, generation, nested records as
 * `index:generation,…`. Then the field of adopted strings or nothing, and four arguments a field: operation, name, state, and
 * for `c` the digest of what the state was merged with. Answers `done`, `sealed`, [`expired`, number] or, when a digest does
 * not hold any more, [`retry`, text, digest, …] for each `c`.
 */
export const applyScript = new Script(`
local mark = '~spillway~'
local key, mode, adopted = KEYS[1], ARGV[1], ARGV[5]
local writerField = mark .. 'w:' .. ARGV[2]

local function adopt()
  local text = redis.call('GET', key)
  if not string.match(text, '^-?%d+$') then return false end
  local ttl = redis.call('PTTL', key)
  redis.call('DEL', key)
  redis.call('HSET', key, adopted, text)
  if ttl > 0 then redis.call('PEXPIRE', key, ttl) end
  return true
end

local function head()
  return redis.pcall('HMGET', key, mark .. 'sealed', mark .. 'forgotten', mark .. 'absorbed', writerField)
end

local meta = head()
if meta.err then
  if adopted == '' or redis.call('TYPE', key).ok ~= 'string' then return meta end
  if not adopt() then return redis.error_reply('SPILLWAY The key holds a string that is not a whole number.') end
  meta = head()
end
local sealed, forgotten, absorbed, last = meta[1], meta[2], meta[3], meta[4]
local sets = {}

if mode == 'write' then
  if ARGV[2] ~= '' then
    local number = tonumber(ARGV[3])
    if last and number <= tonumber(last) then return 'done' end
    if not last and forgotten and number <= tonumber(forgotten) then return {'expired', forgotten} end
    sets = {writerField, ARGV[3]}
  end
  if sealed then return 'sealed' end
else
  local highest, order = {}, {}
  local function record(text)
    for index, generation in string.gmatch(text, '(%d+):(%d+)') do
      if not highest[index] then order[#order + 1] = index end
      if not highest[index] or tonumber(generation) > tonumber(highest[index]) then highest[index] = generation end
    end
  end
  record(absorbed or '')
  if highest[ARGV[2]] and tonumber(highest[ARGV[2]]) >= tonumber(ARGV[3]) then return 'done' end
  if sealed then
    return redis.error_reply('SPILLWAY A sealed shard takes in nothing: absorb into the shard that stays.')
  end
  record(ARGV[2] .. ':' .. ARGV[3])
  record(ARGV[4])
  for i, index in ipairs(order) do order[i] = index .. ':' .. highest[index] end
  sets = {mark .. 'absorbed', table.concat(order, ',')}
end

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
  local number = tonumber(text)
  if number and number == number and number ~= math.huge and number ~= -math.huge then return number end
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

local names = {}
for i = 6, #ARGV, 4 do
  names[#names + 1] = ARGV[i + 1]
end
local stored = {}
if #names > 0 then stored = redis.call('HMGET', key, unpack(names)) end

local retry, isStale = {'retry'}, false
for i = 6, #ARGV, 4 do
  local op, state = ARGV[i], ARGV[i + 2]
  local nth = (i - 2) / 4
  local known = stored[nth]
  if op == 'c' then
    local digest = known and redis.sha1hex(known) or ''
    if digest ~= ARGV[i + 3] then isStale = true end
    retry[#retry + 1] = known
    retry[#retry + 1] = digest
  end
  if op ~= 'i' then
    local new, why = state, nil
    if known and op ~= 'c' then new, why = merges[op](known, state) end
    if new == false then return redis.error_reply('SPILLWAY ' .. nth .. ' ' .. why) end
    if new then
      sets[#sets + 1] = names[nth]
      sets[#sets + 1] = new
    end
  end
end
if isStale then return retry end

local added = {}
for i = 6, #ARGV, 4 do
  if ARGV[i] == 'i' then
    local nth = (i - 2) / 4
    local reply = redis.pcall('HINCRBY', key, names[nth], ARGV[i + 2])
    if type(reply) == 'table' and reply.err then
      for _, before in ipairs(added) do
        if stored[before] then redis.call('HSET', key, names[before], stored[before])
        else redis.call('HDEL', key, names[before]) end
      end
      if string.find(reply.err, 'overflow') then
        return redis.error_reply('SPILLWAY ' .. nth .. ' would leave the range of 64 bits')
      end
      if string.find(reply.err, 'not an integer') then
        return redis.error_reply('SPILLWAY ' .. nth .. ' is stored as something else than a whole number')
      end
      return reply
    end
    added[#added + 1] = nth
  end
end
if #sets > 0 then redis.call('HSET', key, unpack(sets)) end

if mode == 'write' and ARGV[2] ~= '' and not last then
  local sample = redis.pcall('HRANDFIELD', key, 16)
  local writers = {}
  for _, field in ipairs(sample) do
    if string.sub(field, 1, #mark + 2) == mark .. 'w:' and field ~= writerField then writers[#writers + 1] = field end
  end
  if #writers > 0 then
    local numbers, gone = redis.call('HMGET', key, unpack(writers)), {}
    for i, number in ipairs(numbers) do
      if tonumber(number) <= tonumber(ARGV[4]) then
        gone[#gone + 1] = writers[i]
        if not forgotten or tonumber(number) > tonumber(forgotten) then forgotten = number end
      end
    end
    if #gone > 0 then
      redis.call('HDEL', key, unpack(gone))
      redis.call('HSET', key, mark .. 'forgotten', forgotten)
    end
  end
end
return 'done'
`)
