import type { Backend, ItemAnswer, ShardRef } from '@spillway/core'

import { troubled, unreadable } from '../doubles/troubled-store.js'
import { mutant, withCollections, type Mutant } from './mutant.js'

/** Puts the items of every shard somewhere else. */
function withItemPlaces(place: (shard: ShardRef) => ShardRef): (backend: Backend) => Backend {
  return withCollections((collections) => ({
    put: (put, call) => collections.put({ ...put, shard: place(put.shard) }, call),
    delete: (deletion, call) => collections.delete({ ...deletion, shard: place(deletion.shard) }, call),
    get: (read, call) => collections.get({ ...read, shards: read.shards.map(place) }, call),
    page: (page, call) => collections.page({ ...page, shard: place(page.shard) }, call),
    append: (append, call) =>
      collections.append({ items: append.items.map((item) => ({ ...item, shard: place(item.shard) })) }, call),
  }))
}

/** So many shards one request takes; nobody asks for the rest. */
const shardsMax = 50

export const itemShardMutants: readonly Mutant[] = [
  mutant(
    'item-keys',
    'spaces at the end of a key do not count',
    withItemPlaces((shard) => ({ ...shard, key: shard.key.trimEnd() })),
  ),
  mutant(
    'item-shards',
    'the nonce of a generation is no part of the place',
    withItemPlaces((shard) => ({ ...shard, generation: { ...shard.generation, nonce: 0 } })),
  ),
  mutant(
    'get-order',
    'the shards of a get are answered in the order of their indices',
    withCollections((collections) => ({
      get: (read, call) =>
        collections.get({ ...read, shards: read.shards.toSorted((a, b) => a.index - b.index) }, call),
    })),
  ),
  mutant(
    'get-largest',
    'of a large get the last shards are answered as empty',
    withCollections((collections) => ({
      async get(read, call) {
        const answers = await collections.get({ ...read, shards: read.shards.slice(0, shardsMax) }, call)
        return read.shards.map((_, i): ItemAnswer => answers[i] ?? { status: 'read', item: undefined })
      },
    })),
  ),
  {
    breaks: 'get-neighbours',
    flaw: 'a get fails as a whole when one of its shards does',
    harness: troubled(
      withCollections((collections) => ({
        async get(read, call) {
          const answers = await collections.get(read, call)
          for (const answer of answers) if (answer.status === 'failed') throw answer.error
          return answers
        },
      })),
    ),
  },
  {
    breaks: 'get-miss',
    flaw: 'a page of a shard that cannot be read is empty',
    harness: troubled(
      withCollections((collections) => ({
        page: (page, call) =>
          collections.page(page, call).catch((error: unknown) => {
            if (error !== unreadable) throw error
            return { items: [], next: undefined }
          }),
      })),
    ),
  },
  mutant(
    'item-route',
    'a page has no route',
    withCollections((collections) => ({
      page: async (page, call) => ({ ...(await collections.page(page, call)), route: undefined }),
    })),
  ),
  mutant(
    'item-delete-route',
    'a delete tells of the route only where it has found something to delete',
    withCollections((collections) => ({
      delete: async (deletion, call) => {
        const { shard, sort } = deletion
        const [found] = await collections.get({ shards: [shard], sort, consistency: 'strong' }, call)
        const answer = await collections.delete(deletion, call)
        return found?.status === 'read' && found.item !== undefined ? answer : { ...answer, route: undefined }
      },
    })),
  ),
]
