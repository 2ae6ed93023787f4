// Problem: items must come back in one order, whatever the store; JavaScript's `<` on strings is not that of UTF-8, and stores
//   have numbers and bytes of their own.
// Scheme: a sort value is a string, a finite number or bytes. `sortBytes` makes of each the bytes whose order, byte by byte, is
//   the order of the values; stores with types of their own have that same order already.
// Invariants: compareSort(a, b) has the sign of comparing sortBytes(a) with sortBytes(b); sortOf(sortBytes(a)) is a.
// Cost: comparing two strings allocates nothing.
// Source: HowItWorks.NamingRulesDataTypes.html (strings by their UTF-8 bytes, numbers by value, bytes unsigned), for DynamoDB;
//   redis.io/docs/latest/commands/zrangebylex (memcmp), for Redis.

/** What orders the items of a collection: all of one type. */
export type SortValue = string | number | Uint8Array

/** The type of a collection's sort values. */
export type SortType = 'string' | 'number' | 'bytes'

/** The type of a sort value. */
export function sortTypeOf(sort: SortValue): SortType {
  return typeof sort === 'string' ? 'string' : typeof sort === 'number' ? 'number' : 'bytes'
}

/** Negative, zero or positive as `a` comes before `b`, is the same, or comes after it. Both of one type. */
export function compareSort(a: SortValue, b: SortValue): number {
  if (typeof a === 'number' && typeof b === 'number') return a < b ? -1 : a > b ? 1 : 0
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b)
  return compareBytes(sortBytes(a), sortBytes(b))
}

/** By code points, which is the order of UTF-8. */
function compareText(a: string, b: string): number {
  if (a === b) return 0
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const unitA = a.charCodeAt(i)
    const unitB = b.charCodeAt(i)
    if (unitA !== unitB) return rankOf(unitA) - rankOf(unitB)
  }
  return a.length - b.length
}

/** Surrogates stand for code points above all others of 16 bits. */
function rankOf(unit: number): number {
  return unit >= 0xe000 ? unit - 0x800 : unit >= 0xd800 ? unit + 0x2000 : unit
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = (a[i] as number) - (b[i] as number)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The bytes of a sort value: UTF-8; eight bytes big-endian for a number, with the sign turned round; bytes as they are. */
export function sortBytes(sort: SortValue): Uint8Array {
  if (typeof sort === 'string') return encoder.encode(sort)
  if (typeof sort !== 'number') return sort
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setFloat64(0, sort + 0) // makes one zero of two
  const isNegative = (bytes[0] as number) >= 0x80
  for (let i = 0; i < 8; i++) bytes[i] = (bytes[i] as number) ^ (isNegative ? 0xff : i === 0 ? 0x80 : 0)
  return bytes
}

/** The inverse of {@link sortBytes}. Throws `RangeError` for bytes that no value of the type has. */
export function sortOf(bytes: Uint8Array, type: SortType): SortValue {
  if (type === 'bytes') return bytes
  if (type === 'string') return textOf(bytes)
  if (bytes.length !== 8) throw new RangeError(`a number takes 8 bytes, not ${bytes.length}`)
  const turned = new Uint8Array(8)
  const isNegative = (bytes[0] as number) < 0x80
  for (let i = 0; i < 8; i++) turned[i] = (bytes[i] as number) ^ (isNegative ? 0xff : i === 0 ? 0x80 : 0)
  const number = new DataView(turned.buffer).getFloat64(0)
  if (!Number.isFinite(number)) throw new RangeError('the bytes are no finite number')
  return number
}

function textOf(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch (error) {
    throw new RangeError('the bytes are no UTF-8', { cause: error })
  }
}

/** The first value behind all that begin with `prefix`; undefined when nothing can come behind them. */
export function prefixEnd(prefix: string | Uint8Array): string | Uint8Array | undefined {
  if (typeof prefix !== 'string') {
    const last = prefix.findLastIndex((byte) => byte < 0xff)
    if (last < 0) return undefined
    const end = Uint8Array.from(prefix.subarray(0, last + 1)) // the slice of a Buffer would share its memory
    end[last] = (end[last] as number) + 1
    return end
  }
  const points = Array.from(prefix) // code points
  for (let point = points.pop(); point !== undefined; point = points.pop()) {
    const code = point.codePointAt(0) as number
    if (code < 0x10ffff) return points.join('') + String.fromCodePoint(code === 0xd7ff ? 0xe000 : code + 1)
  }
  return undefined
}
