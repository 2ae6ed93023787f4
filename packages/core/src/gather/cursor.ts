// Problem: who pages needs a place to go on from that survives growth, restarts and the way through a browser, and that a
//   browser cannot bend.
// Scheme: the last sort value that was looked at, with a format, the order, a fingerprint of what is paged and, where a key is
//   given, the first 16 bytes of an HMAC-SHA-256 over all of it; as base64url.
// Invariants: a cursor of another collection, key, range or order is refused, and one that leads out of the range; its length is
//   bounded by that of a sort value; it knows nothing of shards.
// Cost: one hash a page, and one HMAC where there is a key.
// Source: RFC 2104, section 5, for the cut; RFC 4648, section 5.

import { createHmac, timingSafeEqual } from 'node:crypto'

import { InvalidArgumentError } from '../errors/misuse-error.js'
import { hashKey } from '../internal/hash-key.js'
import { isBeyond, type SortBound } from '../item/sort-bound.js'
import { sortBytes, sortOf, type SortType, type SortValue } from '../item/sort-value.js'

const formatVersion = 1
const headBytes = 6
const macBytes = 16

/** What a cursor belongs to. */
export interface CursorScope {
  /** Names collection, key, range and order: a text that no other has. */
  readonly name: string
  readonly sortType: SortType
  readonly sortBytesMax: number
  readonly lower: SortBound | undefined
  readonly upper: SortBound | undefined
  /** The first makes cursors, any of them proves one; none where cursors are not authenticated. */
  readonly secrets: readonly Uint8Array[]
}

/** A cursor behind a sort value. */
export function cursorAt(sort: SortValue, scope: CursorScope): string {
  const bytes = sortBytes(sort)
  const head = Buffer.alloc(headBytes)
  head[0] = formatVersion
  head[1] = sortTypeCodes.indexOf(scope.sortType)
  head.writeUInt32BE(hashKey(scope.name, formatVersion), 2)
  const body = Buffer.concat([head, bytes])
  const [secret] = scope.secrets
  return Buffer.concat(secret === undefined ? [body] : [body, macOf(body, secret, scope)]).toString('base64url')
}

/** The sort value of a cursor. Throws `InvalidArgumentError` for one of another scope, and for what is none. */
export function sortAtCursor(cursor: unknown, scope: CursorScope): SortValue {
  const { sortBytesMax, sortType, secrets, name } = scope
  const bytesMax = headBytes + sortBytesMax + macBytes
  if (typeof cursor !== 'string' || cursor.length > Math.ceil((bytesMax * 4) / 3)) throw refused(cursor)
  const bytes = Buffer.from(cursor, 'base64url')
  const macSize = secrets.length === 0 ? 0 : macBytes
  if (bytes.length <= headBytes + macSize || bytes.toString('base64url') !== cursor) throw refused(cursor)
  const body = bytes.subarray(0, bytes.length - macSize)
  const mac = bytes.subarray(body.length)
  if (secrets.length > 0 && !secrets.some((secret) => timingSafeEqual(mac, macOf(body, secret, scope))))
    throw refused(cursor)
  const isOwn =
    body[0] === formatVersion &&
    body[1] === sortTypeCodes.indexOf(sortType) &&
    body.readUInt32BE(2) === hashKey(name, formatVersion)
  if (!isOwn) throw refused(cursor)
  const sort = sortIn(body, sortType)
  // Whoever changes a cursor must not get to see what lies outside of the range.
  if (sort === undefined || isBeyond(sort, scope.lower, -1) || isBeyond(sort, scope.upper, 1)) throw refused(cursor)
  return sort
}

function sortIn(body: Uint8Array, sortType: SortType): SortValue | undefined {
  try {
    return sortOf(Uint8Array.from(body.subarray(headBytes)), sortType)
  } catch {
    return undefined
  }
}

/** A type's place in the list is its code. */
const sortTypeCodes: readonly SortType[] = ['string', 'number', 'bytes']

function macOf(body: Uint8Array, secret: Uint8Array, { name }: CursorScope): Buffer {
  return createHmac('sha256', secret).update(body).update(name).digest().subarray(0, macBytes)
}

function refused(given: unknown): InvalidArgumentError {
  const expected = 'a cursor that this collection gave for the same key, range and order, unchanged'
  return new InvalidArgumentError('options.cursor', expected, given)
}
