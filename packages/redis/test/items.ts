import type {
  Backend,
  CollectionStore,
  ItemDeletion,
  ItemValue,
  ItemWriteAnswer,
  ShardPage,
  ShardPageAnswer,
  SortValue,
  StoredItem,
} from '@spillway/core'

import { call, shardOf } from './requests.js'

/** Collections of a backend that has them. */
export function collectionsOf({ collections }: Backend): CollectionStore {
  if (collections === undefined) throw new Error('The backend has no collections.')
  return collections
}

/** A stamp of the writer `w`. */
export function stampAt(timeMs: number, writer = 'w') {
  return { timeMs, order: 0, writer }
}

/** Puts an item into the key `k`, or another. */
export function put(
  backend: Backend,
  sort: SortValue,
  timeMs = 1,
  value: ItemValue = { at: timeMs },
  key = 'k',
): Promise<ItemWriteAnswer> {
  return collectionsOf(backend).put({ shard: shardOf(key), sort, stamp: stampAt(timeMs), value }, call)
}

/** Takes an item of the key `k` away, or of another. */
export function take(
  backend: Backend,
  sort: SortValue,
  mode: ItemDeletion['mode'],
  timeMs = 1,
  retentionMs = 60_000,
  key = 'k',
): Promise<ItemWriteAnswer> {
  return collectionsOf(backend).delete({ shard: shardOf(key), sort, stamp: stampAt(timeMs), mode, retentionMs }, call)
}

/** What stands under a sort value of a key. */
export async function itemIn(backend: Backend, sort: SortValue, key = 'k'): Promise<StoredItem | undefined> {
  const [answer] = await collectionsOf(backend).get({ shards: [shardOf(key)], sort, consistency: 'strong' }, call)
  if (answer?.status !== 'read') throw answer?.error
  return answer.item
}

/** A page of the key `k`: of everything in it, if nothing else is asked for. */
export function pageOf(backend: Backend, page: Partial<ShardPage> = {}): Promise<ShardPageAnswer> {
  return collectionsOf(backend).page(
    {
      shard: shardOf('k'),
      sortType: 'string',
      lower: undefined,
      upper: undefined,
      order: 'ascending',
      limit: 1_000,
      consistency: 'strong',
      ...page,
    },
    call,
  )
}

/** The sort values of a page. */
export async function sortsIn(backend: Backend, page: Partial<ShardPage> = {}): Promise<readonly SortValue[]> {
  const { items } = await pageOf(backend, page)
  return items.map(({ sort }) => sort)
}
