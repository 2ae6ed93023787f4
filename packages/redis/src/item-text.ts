// Problem: sort values and stamps are to stand in Redis as bytes that it orders rightly, and clients carry texts.
// Scheme: a string is its own UTF-8; a number the sixteen hexadecimal digits of its `sortBytes`, bytes two digits each, both of
//   which keep the order. NUL ends a sort value and is escaped within one.
// Invariants: the order of members is that of `compareSort`; `storedItemOf` gives back what `memberHead` and the script wrote.
// Cost: bytes take twice their size in Redis, numbers 16 bytes instead of 8, so that everything can be read in redis-cli.
// Source: scripts/items.ts; sort-value.ts of the core.

import {
  BackendError,
  type ItemValue,
  type SortBound,
  sortBytes,
  sortOf,
  type SortType,
  type SortValue,
  type Stamp,
  type StoredItem,
} from '@spillway/core'

const letters: Readonly<Record<SortType, string>> = { string: 's', number: 'n', bytes: 'b' }

/** Behind a letter's members: the letter that follows. */
const ends: Readonly<Record<SortType, string>> = { string: '(t', number: '(o', bytes: '(c' }

/** The type of a sort value. */
export function typeOf(sort: SortValue): SortType {
  return typeof sort === 'string' ? 'string' : typeof sort === 'number' ? 'number' : 'bytes'
}

/** The type's letter and the sort value. */
export function sortText(sort: SortValue): string {
  if (typeof sort === 'string') return `s${sort.includes('\0') ? sort.replaceAll('\0', '\0~') : sort}`
  const bytes = sortBytes(sort === 0 ? 0 : sort) // of the two zeros the one
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
  return `${letters[typeOf(sort)]}${hex}`
}

/** The ends of a range, as ZRANGEBYLEX takes them. A member goes on behind its sort value with NUL and a digit or a minus, never a colon. */
export function rangeOf(
  type: SortType,
  lower: SortBound | undefined,
  upper: SortBound | undefined,
): readonly [lower: string, upper: string] {
  return [
    lower === undefined ? `[${letters[type]}` : `[${sortText(lower.sort)}\0${lower.isIncluded ? '' : ':'}`,
    upper === undefined ? ends[type] : `(${sortText(upper.sort)}\0${upper.isIncluded ? ':' : ''}`,
  ]
}

/** A stamp as it is stored. Throws `BackendError` for a writer that would not be ordered, or found again. */
export function stampText({ timeMs, order, writer }: Stamp): string {
  if (!/^[ -~]*$/.test(writer))
    throw new BackendError('invalid', `A stamp's writer must be printable ASCII, but is ${JSON.stringify(writer)}.`)
  return `${timeMs} ${order} ${writer}`
}

/** The inverse of {@link stampText}. Throws `BackendError`. */
export function stampOf(text: unknown): Stamp {
  const [, timeMs, order, writer] = /^(\S+) (\S+) (.*)$/.exec(String(text)) ?? []
  if (writer === undefined) throw foreign()
  return { timeMs: Number(timeMs), order: Number(order), writer }
}

/** An item or tombstone from its member. Throws `BackendError` for what is neither. */
export function storedItemOf(member: unknown, type: SortType): StoredItem {
  if (typeof member !== 'string') throw foreign()
  const end = sortEnd(member)
  const line = member.indexOf('\n', end)
  if (end < 0 || line < 0) throw foreign()
  const isItem = member.startsWith('{', line + 1)
  try {
    return {
      sort: sortIn(member.slice(1, end), type),
      stamp: stampOf(member.slice(end + 1, line)),
      value: isItem ? (JSON.parse(member.slice(line + 1)) as ItemValue) : undefined,
    }
  } catch (error) {
    throw foreign(error)
  }
}

/** The NUL that is not an escaped one. */
function sortEnd(member: string): number {
  let end = member.indexOf('\0')
  while (end >= 0 && member[end + 1] === '~') end = member.indexOf('\0', end + 1)
  return end
}

function sortIn(text: string, type: SortType): SortValue {
  if (type === 'string') return text.includes('\0') ? text.replaceAll('\0~', '\0') : text
  return sortOf(Uint8Array.from(Buffer.from(text, 'hex')), type)
}

function foreign(cause?: unknown): BackendError {
  return new BackendError('invalid', 'Among the items of the key is something that Spillway did not write.', { cause })
}
