import type { Capabilities } from '../backend/backend.js'
import type { CollectionLimits } from '../backend/collection-store.js'
import { InvalidArgumentError } from '../errors/misuse-error.js'
import { knownOptions } from '../internal/known-options.js'
import { copyItem, type ItemValue } from '../item/item-value.js'
import type { SortType, SortValue } from '../item/sort-value.js'
import { checkKey } from './key-check.js'
import { checkedSort } from './sort-check.js'

/** One change of one item. */
export interface ItemChange {
  /** With the collection's prefix. */
  readonly key: string
  readonly sort: SortValue
  /** Undefined for a delete. */
  readonly value: ItemValue | undefined
}

/** A change that has been checked and copied. */
export interface AcceptedItem {
  /** A text that no other item has. */
  readonly id: string
  readonly change: ItemChange
  readonly bytes: number
}

/** What items of a collection must be. */
export interface ItemAdmissionParts {
  readonly prefix: string
  readonly sort: SortType
  readonly codec: { encode(item: unknown): ItemValue } | undefined
  readonly limits: CollectionLimits
  readonly capabilities: Capabilities
}

/** About what an item under way takes beside its bytes. */
const overheadBytes = 200

/** So many items are taken by one call, since each is checked and copied before the first is sent. */
const itemsMax = 100_000

/** Checks and copies what is put into a collection or deleted from it. Every method throws `InvalidArgumentError`, with nothing sent. */
export class ItemAdmission {
  readonly #parts: ItemAdmissionParts

  constructor(parts: ItemAdmissionParts) {
    this.#parts = parts
  }

  /** An item to put; `argument` names it in errors. */
  put(name: string, sort: unknown, item: unknown, argument = 'item'): AcceptedItem {
    const { codec, limits } = this.#parts
    const place = this.#placeOf(name, sort, argument.replace(/item$/, 'sort'))
    const { value, bytes } = copyItem(codec === undefined ? item : codec.encode(item), argument)
    if (bytes > limits.itemBytesMax)
      throw new InvalidArgumentError(argument, `at most ${limits.itemBytesMax} bytes`, `${bytes} bytes`)
    return accepted({ ...place, value }, bytes)
  }

  /** An item to delete. */
  delete(name: string, sort: unknown): AcceptedItem {
    return accepted({ ...this.#placeOf(name, sort, 'sort'), value: undefined }, 0)
  }

  /** Items to put. */
  putMany(name: string, given: unknown): readonly AcceptedItem[] {
    if (typeof (given as Iterable<unknown> | null | undefined)?.[Symbol.iterator] !== 'function')
      throw new InvalidArgumentError('items', 'an iterable of { sort, item }', given)
    const items: AcceptedItem[] = []
    for (const entry of given as Iterable<unknown>) {
      const path = `items[${items.length}]`
      if (items.length === itemsMax) throw new InvalidArgumentError('items', `at most ${itemsMax} of them`, 'more')
      const { sort, item } = knownOptions(entry, path, ['sort', 'item'])
      items.push(this.put(name, sort, item, `${path}.item`))
    }
    return items
  }

  #placeOf(name: string, given: unknown, argument: string): { readonly key: string; readonly sort: SortValue } {
    const { prefix, sort: sortType, limits, capabilities } = this.#parts
    checkKey(name, prefix, capabilities)
    const sort = checkedSort(given, argument, sortType, limits)
    return { key: prefix === '' ? name : prefix + name, sort }
  }
}

/** Refuses items of which one is there twice. Throws `InvalidArgumentError`. */
export function requireOnce(items: readonly AcceptedItem[]): void {
  const seen = new Set<string>()
  for (const [i, { id, change }] of items.entries()) {
    if (seen.has(id))
      throw new InvalidArgumentError(`items[${i}].sort`, 'written once, since options.appendOnly says so', change.sort)
    seen.add(id)
  }
}

function accepted(change: ItemChange, bytes: number): AcceptedItem {
  return { id: idOf(change), change, bytes: bytes + overheadBytes }
}

/** The key's length tells where it ends. */
function idOf({ key, sort }: ItemChange): string {
  if (!(sort instanceof Uint8Array)) return `${key.length}:${key}${sort}`
  return `${key.length}:${key}${Buffer.from(sort.buffer, sort.byteOffset, sort.length).toString('latin1')}`
}
