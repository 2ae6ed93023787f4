import { checkedSort } from './admission/sort-check.js'
import type { CollectionLimits } from './backend/collection-store.js'
import type { ResolvedCollection } from './collection-options.js'
import { InvalidArgumentError } from './errors/misuse-error.js'
import { cursorAt, type CursorScope, sortAtCursor } from './gather/cursor.js'
import { behind, type SortRange } from './gather/shard-reader.js'
import { knownOptions } from './internal/known-options.js'
import { wholeOption } from './internal/number-option.js'
import type { ItemReadPath } from './item-read-path.js'
import type { ItemWritePath, PutOutcome } from './item-write-path.js'
import type { SortBound } from './item/sort-bound.js'
import { prefixEnd, sortBytes, type SortType } from './item/sort-value.js'

/** The sort value of each type. */
export interface SortValues {
  readonly string: string
  readonly number: number
  readonly bytes: Uint8Array
}

/** An item and its sort value. */
export interface ItemEntry<Item, Sort extends SortType> {
  readonly sort: SortValues[Sort]
  readonly item: Item
}

/** How a caller may put, get or delete one item. */
export interface ItemOptions {
  /** Ends the waiting of this caller; a change that has been accepted is written all the same. */
  readonly signal?: AbortSignal | undefined
}

/** Which items, and in which order. */
export interface RangeOptions<Sort extends SortType> {
  /** The first sort value; it belongs to the range. @default from the first item */
  readonly from?: SortValues[Sort] | undefined
  /** The end; it does not belong to the range. @default to the last item */
  readonly to?: SortValues[Sort] | undefined
  /** Only sort values that begin so. Not for numbers, and not with `from` or `to`. @default all */
  readonly prefix?: Exclude<SortValues[Sort], number> | undefined
  /** Strings by their UTF-8 bytes, numbers by value, bytes by value. @default 'ascending' */
  readonly order?: 'ascending' | 'descending' | undefined
  /** Ends the reading, and the requests that are under way for it. */
  readonly signal?: AbortSignal | undefined
}

/** Which page. */
export interface PageOptions<Item, Sort extends SortType> extends RangeOptions<Sort> {
  /** So many items at most. 1 to 1,000. @default 100 */
  readonly limit?: number | undefined
  /** Where the page before ended: what that page gave. @default the beginning */
  readonly cursor?: string | undefined
  /** Only items for which it answers true. They are read all the same; it runs on this side of the store. @default all */
  readonly filter?: ((item: Item, sort: SortValues[Sort]) => boolean) | undefined
  /**
   * So many items at most are looked at for one page, deleted and filtered ones included: then it ends, perhaps empty, with a
   * cursor. 1 to 100,000. @default 10_000
   */
  readonly examinedMax?: number | undefined
}

/** A part of a collection, in order. */
export interface Page<Item, Sort extends SortType> {
  /** At most `limit`; there may be fewer, or none, with more behind them. */
  readonly items: readonly ItemEntry<Item, Sort>[]
  /** Where the next page begins; undefined when nothing is left. Opaque, safe in URLs, at most 1,400 characters for sort values of 1,024 bytes, and good for ever. */
  readonly cursor: string | undefined
}

/** How a caller may put many items. */
export interface PutManyOptions {
  /** Ends the sending of further items. */
  readonly signal?: AbortSignal | undefined
  /** So many requests at a time. 1 to 1,024. @default 16 */
  readonly concurrencyMax?: number | undefined
  /**
   * Says that these sort values are never written twice, nor deleted while this call is under way: then batches of the store may
   * serve that know no conditions, such as DynamoDB's. Where it is not true, an older item may replace a newer one. @default false
   */
  readonly appendOnly?: boolean | undefined
}

/** Items under keys, ordered by a sort value. Made by `client.collection()`. */
export class Collection<Item, Sort extends SortType = 'string'> {
  /** As it was given to `client.collection()`. */
  readonly name: string
  readonly #collection: ResolvedCollection
  readonly #limits: CollectionLimits
  readonly #writePath: ItemWritePath
  readonly #readPath: ItemReadPath

  /** @internal */
  constructor(
    collection: ResolvedCollection,
    limits: CollectionLimits,
    writePath: ItemWritePath,
    readPath: ItemReadPath,
  ) {
    this.name = collection.name
    this.#collection = collection
    this.#limits = limits
    this.#writePath = writePath
    this.#readPath = readPath
  }

  /**
   * Stores an item in place of what is there, unless that has a later stamp; resolves once it is durable in the backend. Puts of
   * one item that meet in this client are written as one: the last.
   *
   * Rejects with `INVALID_ARGUMENT`, `LIMIT_REACHED` or `CLOSED` before anything is sent, with `WRITE_REJECTED` when the item is
   * not and will not be written, with `WRITE_UNKNOWN` when it may be, and with the signal's reason when that comes first. After
   * `WRITE_UNKNOWN` putting the same item again counts nothing twice; it may replace what somebody else has put since.
   */
  put(key: string, sort: SortValues[Sort], item: Item, options?: ItemOptions): Promise<void> {
    return settled(() => this.#writePath.put(key, sort, item, signalOf(options)))
  }

  /**
   * Takes an item away; resolves once that is durable. An item that is not there is no error. Rejects as `put` does.
   *
   * While its key has no route, this is the store's own delete: a copy of an older put that is delayed in the network, and arrives
   * only now, can bring the item back, as with the plain client.
   */
  delete(key: string, sort: SortValues[Sort], options?: ItemOptions): Promise<void> {
    return settled(() => this.#writePath.delete(key, sort, signalOf(options)))
  }

  /**
   * One item; undefined where there is none. Every put and delete acknowledged before this call is in it.
   *
   * Rejects with `INVALID_ARGUMENT`, `LIMIT_REACHED` or `CLOSED` before anything is sent, with `READ_FAILED` or
   * `ROUTE_UNAVAILABLE` when it could not be read, and with the signal's reason when that comes first.
   */
  get(key: string, sort: SortValues[Sort], options?: ItemOptions): Promise<Item | undefined> {
    return settled(() => this.#readPath.get(key, sort, signalOf(options)) as Promise<Item | undefined>)
  }

  /**
   * A page of items in order, as an unspread key would give it. An item that is there from the first page to the last is on one of
   * them, once, whatever is put or spread meanwhile. Rejects as `get` does.
   */
  page(key: string, options: PageOptions<Item, Sort> = {}): Promise<Page<Item, Sort>> {
    return settled(async () => {
      const { scope, rest, limit, examinedMax, filter, signal } = this.#pageOf(key, options)
      const { entries, last } = await this.#readPath.page(key, { range: rest, limit, examinedMax, filter, signal })
      const cursor = last === undefined ? undefined : cursorAt(last, scope)
      return { items: entries as readonly ItemEntry<Item, Sort>[], cursor }
    })
  }

  /**
   * All items of a range in order, read as they are asked for: some 64 ahead at first, up to 1,024 later. An item that is there
   * from beginning to end comes once. Who stops asking stops the requests. Throws `InvalidArgumentError` and `ClosedError` at once; then rejects as `get` does.
   */
  iterate(key: string, options: RangeOptions<Sort> = {}): AsyncIterableIterator<ItemEntry<Item, Sort>> {
    const given = knownOptions(options, 'options', rangeNames)
    const { range, signal } = this.#rangeOf(given)
    return this.#readPath.iterate(key, range, signal) as AsyncGenerator<ItemEntry<Item, Sort>>
  }

  /**
   * Puts up to 100,000 items of one key, with bounded concurrency; answers with what became of each, in their order. Rejects only for
   * arguments that are wrong, before anything is sent. After the signal no further item is sent, which is its outcome; those
   * under way are waited for.
   */
  putMany(
    key: string,
    items: Iterable<ItemEntry<Item, Sort>>,
    options: PutManyOptions = {},
  ): Promise<readonly PutOutcome[]> {
    return settled(() => {
      const given = knownOptions(options, 'options', ['signal', 'concurrencyMax', 'appendOnly'])
      const { appendOnly = false } = given
      if (typeof appendOnly !== 'boolean') throw new InvalidArgumentError('options.appendOnly', 'a boolean', appendOnly)
      const concurrencyMax = wholeOption(given, 'options.concurrencyMax', 1, 1_024, 16)
      return this.#writePath.putMany(key, items, { concurrencyMax, appendOnly, signal: checkedSignal(given['signal']) })
    })
  }

  #pageOf(key: string, options: PageOptions<Item, Sort>) {
    const given = knownOptions(options, 'options', [...rangeNames, 'limit', 'cursor', 'filter', 'examinedMax'])
    const { range, signal } = this.#rangeOf(given)
    const limit = wholeOption(given, 'options.limit', 1, 1_000, 100)
    const examinedMax = wholeOption(given, 'options.examinedMax', 1, 100_000, 10_000)
    const { filter, cursor } = given
    if (filter !== undefined && typeof filter !== 'function')
      throw new InvalidArgumentError('options.filter', 'a function', filter)
    const scope = this.#scopeOf(key, range)
    const rest = cursor === undefined ? range : behind(range, sortAtCursor(cursor, scope))
    return { scope, rest, limit, examinedMax, filter: filter as never, signal }
  }

  #rangeOf(given: Record<string, unknown>): { readonly range: SortRange; readonly signal: AbortSignal | undefined } {
    const { from, to, prefix, order = 'ascending' } = given
    const { sort: sortType } = this.#collection
    if (order !== 'ascending' && order !== 'descending')
      throw new InvalidArgumentError('options.order', "'ascending' or 'descending'", order)
    const bound = (name: string, value: unknown, isIncluded: boolean) =>
      value === undefined
        ? undefined
        : { sort: checkedSort(value, `options.${name}`, sortType, this.#limits), isIncluded }
    const signal = checkedSignal(given['signal'])
    if (prefix === undefined)
      return { range: { sortType, order, lower: bound('from', from, true), upper: bound('to', to, false) }, signal }
    if (from !== undefined || to !== undefined)
      throw new InvalidArgumentError('options.prefix', 'given without from and to', prefix)
    if (sortType === 'number')
      throw new InvalidArgumentError('options.prefix', 'left out, since numbers have none', prefix)
    const lower = bound('prefix', prefix, true) as SortBound
    const end = prefixEnd(lower.sort as string | Uint8Array)
    // An end that is longer than a sort value may be has a prefix that is as long as one may be: nothing else begins with it.
    const isTooLong = end !== undefined && sortBytes(end).length > this.#limits.sortBytesMax
    const upper = isTooLong ? lower : end === undefined ? undefined : { sort: end, isIncluded: false }
    return { range: { sortType, order, lower, upper }, signal }
  }

  #scopeOf(key: string, { sortType, lower, upper, order }: SortRange): CursorScope {
    const ends = [lower, upper].map((bound) => bound && Buffer.from(sortBytes(bound.sort)).toString('base64'))
    const { name, prefix, cursorKeys } = this.#collection
    return {
      name: JSON.stringify([name, prefix, key, order, ...ends]),
      sortType,
      sortBytesMax: this.#limits.sortBytesMax,
      lower,
      upper,
      secrets: cursorKeys,
    }
  }
}

const rangeNames = ['from', 'to', 'prefix', 'order', 'signal']

/** What is wrong with arguments rejects, as everything else does. */
function settled<T>(call: () => Promise<T>): Promise<T> {
  try {
    return call()
  } catch (error) {
    return Promise.reject(error)
  }
}

function signalOf(options: ItemOptions | undefined): AbortSignal | undefined {
  return options === undefined ? undefined : checkedSignal(knownOptions(options, 'options', ['signal'])['signal'])
}

function checkedSignal(signal: unknown): AbortSignal | undefined {
  if (signal === undefined || signal instanceof AbortSignal) return signal
  throw new InvalidArgumentError('options.signal', 'an AbortSignal', signal)
}
