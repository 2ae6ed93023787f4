// Problem: a rule about items should read as what it claims; answers of stores differ in what does not matter.
// Scheme: the collections of a world, with short ways to name sort values and versions, to write and to read.
// Invariants: what is seen has one form: stamps of three members, bytes as plain `Uint8Array`s, values as they came.
// Cost: none to speak of.
// Source: world.ts.

import { inspect } from 'node:util'

import type {
  CollectionStore,
  ItemAnswer,
  ItemDeletion,
  ItemPut,
  ItemValue,
  ItemWriteAnswer,
  ShardPage,
  ShardRef,
  SortType,
  SortValue,
  Stamp,
  StoredItem,
} from '@spillway/core'

import { ensure } from './ensure.js'
import { RuleBrokenError } from './rule-broken-error.js'
import type { World } from './world.js'

/** What a write came to: done, or the stamp of what is newer and stays. */
export type Written = 'done' | Stamp

/** A page as a rule sees it. */
export interface SeenPage {
  readonly items: readonly StoredItem[]
  readonly next: SortValue | undefined
}

/** What a page asks for beyond the first items of a shard. */
export type PagePart = Partial<Omit<ShardPage, 'shard' | 'sortType'>>

/** Tombstones stay at least as long as any rule takes. */
const retentionMs = 86_400_000

/** The collections of a backend under test, with sort values of one type. */
export class Items {
  /** The collections themselves. */
  readonly store: CollectionStore
  /** That of the sort values. */
  readonly type: SortType
  readonly #world: World

  /** `type` is the first that the store orders, unless it is given. Throws `RuleBrokenError` where there are no collections. */
  constructor(world: World, type?: SortType) {
    const { collections } = world.backend
    if (collections === undefined) throw new RuleBrokenError('Expected the backend to have collections.')
    this.#world = world
    this.store = collections
    this.type = type ?? (collections.limits.sortTypes[0] as SortType)
  }

  /** The `i`-th sort value, from 0 to 9,999, in their order. */
  at(i: number): SortValue {
    if (this.type === 'number') return i
    return this.type === 'bytes' ? Uint8Array.of(i >> 8, i & 0xff) : `s-${String(i).padStart(4, '0')}`
  }

  /** A request to put. */
  putting(shard: ShardRef, sort: SortValue, value: ItemValue, stamp: Stamp = versionOf(1)): ItemPut {
    return { shard, sort, value, stamp }
  }

  /** Puts an item. */
  async put(...item: Parameters<Items['putting']>): Promise<Written> {
    return writtenOf(await this.store.put(this.putting(...item), this.#world.call))
  }

  /** Takes an item away. */
  async delete(shard: ShardRef, sort: SortValue, mode: ItemDeletion['mode'], stamp: Stamp): Promise<Written> {
    return writtenOf(await this.store.delete({ shard, sort, mode, stamp, retentionMs }, this.#world.call))
  }

  /** What a strong read finds at a sort value. */
  async get(shard: ShardRef, sort: SortValue): Promise<StoredItem | undefined> {
    return (await this.getEach([shard], sort))[0]
  }

  /** What a strong read finds at a sort value in each shard. */
  async getEach(shards: readonly ShardRef[], sort: SortValue): Promise<readonly (StoredItem | undefined)[]> {
    return (await this.answers(shards, sort)).map((answer) => {
      if (answer.status === 'read') return answer.item && seen(answer.item)
      throw new RuleBrokenError(`Expected every shard to be read, but one failed: ${inspect(answer.error)}`)
    })
  }

  /** The answers of a strong read of a sort value, one for each shard. */
  async answers(shards: readonly ShardRef[], sort: SortValue): Promise<readonly ItemAnswer[]> {
    const answers = await this.store.get({ shards, sort, consistency: 'strong' }, this.#world.call)
    ensure(
      answers.length === shards.length,
      `Expected ${shards.length} answers, but there were ${String(answers.length)}.`,
    )
    return answers
  }

  /** A request for a page: strong, ascending and of more items than most rules have, unless told otherwise. */
  paging(shard: ShardRef, part: PagePart = {}): ShardPage {
    return {
      shard,
      sortType: this.type,
      lower: undefined,
      upper: undefined,
      order: 'ascending',
      limit: Math.min(this.store.limits.itemsPerPageMax, 64),
      consistency: 'strong',
      ...part,
    }
  }

  /** One page, which may have fewer items than there are. */
  async page(shard: ShardRef, part?: PagePart): Promise<SeenPage> {
    const { items, next } = await this.store.page(this.paging(shard, part), this.#world.call)
    return { items: items.map(seen), next: next instanceof Uint8Array ? Uint8Array.from(next) : next }
  }

  /** All items of a range, page by page to the end. */
  async all(shard: ShardRef, part: PagePart = {}): Promise<readonly StoredItem[]> {
    const items: StoredItem[] = []
    let rest = part
    for (let pages = 0; pages < pagesMax; pages++) {
      const { items: more, next } = await this.page(shard, rest)
      items.push(...more)
      if (next === undefined) return items
      const bound = { sort: next, isIncluded: false }
      rest = part.order === 'descending' ? { ...part, upper: bound } : { ...part, lower: bound }
    }
    throw new RuleBrokenError(`Expected a range to end, but after ${pagesMax} pages there was still more.`)
  }
}

/** More pages than any range of a rule takes. */
const pagesMax = 100

/** A stamp of the second after 14 November 2023. */
export function versionOf(ms: number, order = 0, writer = 'kit'): Stamp {
  return { timeMs: 1_700_000_000_000 + ms, order, writer }
}

/** The sort values of items. */
export function sortsOf(items: readonly StoredItem[]): readonly SortValue[] {
  return items.map(({ sort }) => sort)
}

/** Of so many things all, in an order that has nothing to do with theirs. */
export function shuffled<T>(things: readonly T[]): readonly T[] {
  const step = [7, 11, 13, 17].find((prime) => things.length % prime !== 0) ?? 1
  return things.map((_, i) => things[(i * step + 3) % things.length] as T)
}

function writtenOf(answer: ItemWriteAnswer): Written {
  if (answer.status === 'done') return 'done'
  ensure(
    answer.status === 'newer',
    `Expected a write to be done or to find something newer, but it was answered: ${inspect(answer)}`,
  )
  return threeOf(answer.stamp)
}

function threeOf({ timeMs, order, writer }: Stamp): Stamp {
  return { timeMs, order, writer }
}

/** An item in the one form that rules compare. */
export function seen({ sort, stamp, value }: StoredItem): StoredItem {
  return {
    sort: sort instanceof Uint8Array ? Uint8Array.from(sort) : sort,
    stamp: stamp && threeOf(stamp),
    value,
  }
}
