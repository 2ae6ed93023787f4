// Problem: detection and sticky choices hash a key for every operation, and a hash through WebAssembly or node:crypto
// costs more to call than to compute at the length of a key (16-24 bytes).
// Scheme: XXH32 in plain JavaScript, read straight from the char codes while they are ASCII. A key that turns out not to
// be ASCII is encoded into a scratch buffer and hashed again from there.
// Invariants: equals XXH32 over the UTF-8 bytes for every string and seed; a lone surrogate counts as U+FFFD, as in
// TextEncoder. Nothing is allocated for an ASCII key, nor for any other key of up to 1,024 UTF-16 units.
// Cost: 40-50 ns for 22 ASCII characters on a 2.7 GHz Xeon.
// Source: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md, chapter "XXH32 Algorithm Description".

const prime1 = 0x9e3779b1 | 0
const prime2 = 0x85ebca77 | 0
const prime3 = 0xc2b2ae3d | 0
const prime4 = 0x27d4eb2f | 0
const prime5 = 0x165667b1 | 0

/**
 * Bound, because `key.charCodeAt` looks the method up by the string's shape, and V8 has more shapes of strings (flat,
 * concatenated, sliced, internalised, one byte or two) than an inline cache holds: that made a hash five times slower.
 */
// oxlint-disable-next-line typescript/unbound-method -- bound to `call`, which passes `this`
const charCodeAt = Function.prototype.call.bind(String.prototype.charCodeAt) as (key: string, index: number) => number

const scratchUnits = 1_024
/** Never read beyond what the same call has written, so sharing it between callers is harmless. */
const scratch = new Uint8Array(3 * scratchUnits)

/** XXH32 over the UTF-8 bytes of `key`: a whole number in [0, 2^32). `seed` is taken modulo 2^32. */
export function hashKey(key: string, seed: number): number {
  return hashAscii(key, seed | 0) >>> 0
}

/** Stays within int32, because a larger number that crosses a call is boxed. */
function hashAscii(key: string, seed: number): number {
  const length = key.length
  let seen = 0
  let i = 0
  let hash = (seed + prime5) | 0
  if (length >= 16) {
    let a = (seed + prime1 + prime2) | 0
    let b = (seed + prime2) | 0
    let c = seed
    let d = (seed - prime1) | 0
    for (; i <= length - 16; i += 16) {
      let u0 = charCodeAt(key, i)
      let u1 = charCodeAt(key, i + 1)
      let u2 = charCodeAt(key, i + 2)
      let u3 = charCodeAt(key, i + 3)
      seen |= u0 | u1 | u2 | u3
      a = lane(a, word(u0, u1, u2, u3))
      u0 = charCodeAt(key, i + 4)
      u1 = charCodeAt(key, i + 5)
      u2 = charCodeAt(key, i + 6)
      u3 = charCodeAt(key, i + 7)
      seen |= u0 | u1 | u2 | u3
      b = lane(b, word(u0, u1, u2, u3))
      u0 = charCodeAt(key, i + 8)
      u1 = charCodeAt(key, i + 9)
      u2 = charCodeAt(key, i + 10)
      u3 = charCodeAt(key, i + 11)
      seen |= u0 | u1 | u2 | u3
      c = lane(c, word(u0, u1, u2, u3))
      u0 = charCodeAt(key, i + 12)
      u1 = charCodeAt(key, i + 13)
      u2 = charCodeAt(key, i + 14)
      u3 = charCodeAt(key, i + 15)
      seen |= u0 | u1 | u2 | u3
      d = lane(d, word(u0, u1, u2, u3))
    }
    hash = join(a, b, c, d)
  }
  hash = (hash + length) | 0
  for (; i <= length - 4; i += 4) {
    const u0 = charCodeAt(key, i)
    const u1 = charCodeAt(key, i + 1)
    const u2 = charCodeAt(key, i + 2)
    const u3 = charCodeAt(key, i + 3)
    seen |= u0 | u1 | u2 | u3
    hash = tailWord(hash, word(u0, u1, u2, u3))
  }
  for (; i < length; i++) {
    const unit = charCodeAt(key, i)
    seen |= unit
    hash = tailByte(hash, unit)
  }
  return seen < 0x80 ? avalanche(hash) : hashEncoded(key, seed)
}

function hashEncoded(key: string, seed: number): number {
  const bytes = key.length <= scratchUnits ? scratch : new Uint8Array(3 * key.length)
  const length = encode(key, bytes)
  let i = 0
  let hash = (seed + prime5) | 0
  if (length >= 16) {
    let a = (seed + prime1 + prime2) | 0
    let b = (seed + prime2) | 0
    let c = seed
    let d = (seed - prime1) | 0
    for (; i <= length - 16; i += 16) {
      a = lane(a, encodedWord(bytes, i))
      b = lane(b, encodedWord(bytes, i + 4))
      c = lane(c, encodedWord(bytes, i + 8))
      d = lane(d, encodedWord(bytes, i + 12))
    }
    hash = join(a, b, c, d)
  }
  hash = (hash + length) | 0
  for (; i <= length - 4; i += 4) hash = tailWord(hash, encodedWord(bytes, i))
  for (; i < length; i++) hash = tailByte(hash, bytes[i] ?? 0)
  return avalanche(hash)
}

/** Writes `key` as UTF-8 and returns how many bytes that took, at most three a UTF-16 unit. */
function encode(key: string, bytes: Uint8Array): number {
  let at = 0
  for (let i = 0; i < key.length; i++) {
    let point = key.codePointAt(i) ?? 0
    if (point > 0xffff) i += 1
    else if (point >= 0xd800 && point <= 0xdfff) point = 0xfffd
    if (point < 0x80) {
      bytes[at++] = point
      continue
    }
    if (point < 0x800) bytes[at++] = 0xc0 | (point >> 6)
    else {
      if (point < 0x10000) bytes[at++] = 0xe0 | (point >> 12)
      else {
        bytes[at++] = 0xf0 | (point >> 18)
        bytes[at++] = 0x80 | ((point >> 12) & 0x3f)
      }
      bytes[at++] = 0x80 | ((point >> 6) & 0x3f)
    }
    bytes[at++] = 0x80 | (point & 0x3f)
  }
  return at
}

function word(a: number, b: number, c: number, d: number): number {
  return a | (b << 8) | (c << 16) | (d << 24)
}

function encodedWord(bytes: Uint8Array, i: number): number {
  return (bytes[i] ?? 0) | ((bytes[i + 1] ?? 0) << 8) | ((bytes[i + 2] ?? 0) << 16) | ((bytes[i + 3] ?? 0) << 24)
}

function lane(state: number, input: number): number {
  return Math.imul(rotate((state + Math.imul(input, prime2)) | 0, 13), prime1)
}

function join(a: number, b: number, c: number, d: number): number {
  return (rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18)) | 0
}

function tailWord(hash: number, input: number): number {
  return Math.imul(rotate((hash + Math.imul(input, prime3)) | 0, 17), prime4)
}

function tailByte(hash: number, input: number): number {
  return Math.imul(rotate((hash + Math.imul(input, prime5)) | 0, 11), prime1)
}

function avalanche(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 15), prime2)
  mixed = Math.imul(mixed ^ (mixed >>> 13), prime3)
  return mixed ^ (mixed >>> 16)
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}
