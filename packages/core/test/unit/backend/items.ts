import type { Backend } from '../../../src/backend/backend.js'
import type {
  AppendAnswer,
  CollectionStore,
  ItemAnswer,
  ItemDeletion,
  ItemPut,
  ItemWriteAnswer,
  ShardPage,
  ShardPageAnswer,
} from '../../../src/backend/collection-store.js'
import type { ItemValue } from '../../../src/item/item-value.js'
import type { SortValue } from '../../../src/item/sort-value.js'
import type { Stamp } from '../../../src/merge/stamp.js'
import type { ShardRef } from '../../../src/operation.js'
import { call } from './requests.js'

/** The collections of a backend that has them. */
export function collectionsOf(backend: Backend): CollectionStore {
  if (backend.collections === undefined) throw new Error('expected a backend with collections')
  return backend.collections
}

/** A stamp of the millisecond `timeMs`. */
export function itemStamp(timeMs: number, order = 0, writer = 'w'): Stamp {
  return { timeMs, order, writer }
}

export function putOf(shard: ShardRef, sort: SortValue, value: ItemValue = { n: 1 }, stamp = itemStamp(1)): ItemPut {
  return { shard, sort, value, stamp }
}

export function put(backend: Backend, ...given: Parameters<typeof putOf>): Promise<ItemWriteAnswer> {
  return collectionsOf(backend).put(putOf(...given), call)
}

export function deletionOf(
  shard: ShardRef,
  sort: SortValue,
  mode: ItemDeletion['mode'] = 'tombstone',
  stamp = itemStamp(2),
): ItemDeletion {
  return { shard, sort, mode, stamp, retentionMs: 1_000 }
}

export function get(
  backend: Backend,
  shards: readonly ShardRef[],
  sort: SortValue,
  consistency: 'strong' | 'eventual' = 'strong',
): Promise<readonly ItemAnswer[]> {
  return collectionsOf(backend).get({ shards, sort, consistency }, call)
}

/** The value of one item of one shard; undefined for none, and for a tombstone. */
export async function valueOf(backend: Backend, shard: ShardRef, sort: SortValue): Promise<ItemValue | undefined> {
  const [answer] = await get(backend, [shard], sort)
  if (answer?.status !== 'read') throw new Error(`expected contents, but the answer was ${String(answer?.status)}`)
  return answer.item?.value
}

/** A strong page of up to a hundred texts from the first on. */
export function pageOf(shard: ShardRef, part: Partial<ShardPage> = {}): ShardPage {
  return {
    shard,
    sortType: 'string',
    lower: undefined,
    upper: undefined,
    order: 'ascending',
    limit: 100,
    consistency: 'strong',
    ...part,
  }
}

export function page(backend: Backend, shard: ShardRef, part?: Partial<ShardPage>): Promise<ShardPageAnswer> {
  return collectionsOf(backend).page(pageOf(shard, part), call)
}

export async function append(backend: Backend, items: readonly ItemPut[]): Promise<readonly AppendAnswer[]> {
  return (await collectionsOf(backend).append?.({ items }, call)) ?? []
}
