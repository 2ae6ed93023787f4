// Problem: an adapter's collections may throw where they should reject, answer in another form, or loop for ever on one page.
// Scheme: one thin layer around them, as around the records.
// Invariants: no request throws; every answer has the form of the contract; a page has nothing but what was asked for, and one that goes on has moved on.
// Cost: one async function a request, beside a request to a store.
// Source: guarded-backend.ts.

import { InvalidArgumentError } from '../errors/misuse-error.js'
import { isBeyond } from '../item/sort-bound.js'
import { compareSort, type SortType, type SortValue } from '../item/sort-value.js'
import type { Stamp } from '../merge/stamp.js'
import { asBackendError, BackendError } from './backend-error.js'
import type {
  AppendAnswer,
  CollectionStore,
  ItemAnswer,
  ItemWriteAnswer,
  ShardPage,
  ShardPageAnswer,
  StoredItem,
} from './collection-store.js'

/** Puts the guard around a backend's collections. */
export function guardCollections(store: CollectionStore): CollectionStore {
  return {
    limits: store.limits,
    put: (put, call) => translated(async () => checkWrite(await store.put(put, call))),
    delete: (deletion, call) => translated(async () => checkWrite(await store.delete(deletion, call))),
    get: (read, call) => translated(async () => checkItems(await store.get(read, call), read.shards.length)),
    page: (page, call) => translated(async () => checkPage(await store.page(page, call), page)),
    ...(store.append && {
      append: (append, call) =>
        translated(async () => checkAppended((await store.append?.(append, call)) ?? [], append.items.length)),
    }),
  }
}

/** Checks what somebody gives as collections. Throws `InvalidArgumentError`. */
export function checkCollections(given: Partial<CollectionStore> | null): void {
  if (typeof given !== 'object' || given === null)
    throw new InvalidArgumentError('backend.collections', 'a CollectionStore, or undefined', given)
  for (const method of ['put', 'delete', 'get', 'page'] as const) checkMethod(method, given[method])
  if (given.append !== undefined) checkMethod('append', given.append)
  const limits: Partial<CollectionStore['limits']> | null | undefined = given.limits
  if (typeof limits !== 'object' || limits === null)
    throw new InvalidArgumentError('backend.collections.limits', 'the limits of the store', limits)
  for (const name of ['sortBytesMax', 'itemBytesMax', 'itemsPerPageMax', 'itemsPerAppendMax'] as const) {
    const limit: unknown = limits[name]
    if (typeof limit !== 'number' || !(limit >= 1))
      throw new InvalidArgumentError(`backend.collections.limits.${name}`, 'a number of at least 1', limit)
  }
  if (typeof limits.mayShareKeys !== 'boolean')
    throw new InvalidArgumentError('backend.collections.limits.mayShareKeys', 'true or false', limits.mayShareKeys)
  const types: unknown = limits.sortTypes
  if (!Array.isArray(types) || types.length === 0 || !types.every((type) => sortTypes.has(type)))
    throw new InvalidArgumentError('backend.collections.limits.sortTypes', [...sortTypes].join(', '), types)
}

const sortTypes: ReadonlySet<unknown> = new Set<SortType>(['string', 'number', 'bytes'])

function checkMethod(name: string, given: unknown): void {
  if (typeof given !== 'function') throw new InvalidArgumentError(`backend.collections.${name}`, 'a function', given)
}

/** A write that was badly answered may be in. */
function checkWrite(answer: ItemWriteAnswer): ItemWriteAnswer {
  const given = answer as ItemWriteAnswer | undefined
  if (given?.status === 'done' || (given?.status === 'newer' && isStamp(given.stamp))) return answer
  throw new BackendError(
    'unknown',
    'The backend must answer a put or a delete with a status of done, or of newer with the stamp that is there.',
  )
}

function isStamp(stamp: Partial<Stamp> | undefined): boolean {
  return typeof stamp?.timeMs === 'number' && typeof stamp.order === 'number' && typeof stamp.writer === 'string'
}

function checkItems(answers: readonly ItemAnswer[], count: number): readonly ItemAnswer[] {
  const given: unknown = answers
  if (!Array.isArray(given) || given.length !== count)
    throw malformed(`The backend must answer a read of ${count} shards with as many answers.`)
  for (const answer of answers) {
    const status: unknown = (answer as ItemAnswer | undefined)?.status
    if (status === 'failed') continue
    if (status !== 'read') throw malformed('The backend must answer a shard with a status of read or of failed.')
    if ((answer as { item?: StoredItem }).item !== undefined) checkItem((answer as { item: StoredItem }).item)
  }
  return answers
}

function checkItem(item: StoredItem): void {
  const given: Partial<StoredItem> | undefined = item
  const { sort, stamp, value } = given ?? {}
  const hasValue = value === undefined || (typeof value === 'object' && (value as unknown) !== null)
  if (sort === undefined || !hasValue || (stamp !== undefined && !isStamp(stamp)))
    throw malformed('The backend must give an item with its sort value, its stamp or none, and an object or none.')
}

function checkPage(answer: ShardPageAnswer, { order, lower, upper, sortType }: ShardPage): ShardPageAnswer {
  const given: unknown = (answer as ShardPageAnswer | undefined)?.items
  if (!Array.isArray(given)) throw malformed('The backend must answer a page with items.')
  const { items, next } = answer
  const direction = order === 'ascending' ? 1 : -1
  let before: SortValue | undefined
  for (const item of items) {
    checkItem(item)
    requireType(item.sort, sortType)
    if (before !== undefined && direction * compareSort(before, item.sort) >= 0)
      throw malformed(
        'The backend must answer a page with items in the order of their sort values, none of them twice.',
      )
    before = item.sort
  }
  // They are in order, so the first and the last speak for all.
  const [near, far] = order === 'ascending' ? [lower, upper] : [upper, lower]
  if (isBeyond(items[0]?.sort, near, -direction) || isBeyond(before, far, direction))
    throw malformed('The backend must answer a page with items between the bounds that were asked for.')
  if (next === undefined) return answer
  requireType(next, sortType)
  const isBack = before !== undefined && direction * compareSort(before, next) > 0
  if (isBack || (before === undefined && isBeyond(next, near, -direction)))
    throw malformed('The backend must answer a page with a next value behind what it has given.')
  return answer
}

function requireType(sort: unknown, type: SortType): void {
  const isOfType =
    type === 'bytes' ? sort instanceof Uint8Array : type === 'number' ? Number.isFinite(sort) : typeof sort === 'string'
  if (!isOfType) throw malformed(`The backend must answer a page with sort values of type ${type}, as was asked for.`)
}

function checkAppended(answers: readonly AppendAnswer[], count: number): readonly AppendAnswer[] {
  const given: unknown = answers
  const isWell = Array.isArray(given) && given.length === count
  if (isWell && answers.every(({ status }) => status === 'done' || status === 'failed')) return answers
  throw new BackendError('unknown', `The backend must answer an append of ${count} items with as many answers.`)
}

function malformed(message: string): BackendError {
  return new BackendError('unavailable', message)
}

async function translated<T>(request: () => Promise<T>): Promise<T> {
  try {
    return await request()
  } catch (error) {
    throw asBackendError(error)
  }
}
