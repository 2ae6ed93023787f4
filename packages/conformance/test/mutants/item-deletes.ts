import {
  BackendError,
  type Backend,
  type Call,
  type ItemDeletion,
  type ItemWriteAnswer,
  type ShardRef,
  type Stamp,
  type StoredItem,
} from '@spillway/core'

import { itemAt, mutant, nameOf, withCollections, type Mutant } from './mutant.js'

/** Greater than any. */
const last: Stamp = { timeMs: Number.MAX_SAFE_INTEGER, order: 0, writer: '~' }

const done: ItemWriteAnswer = { status: 'done' }

/** Deletes of one mode in another way; `drop` is the right one. */
function withDeletes(
  mode: ItemDeletion['mode'],
  spoil: (
    deletion: ItemDeletion,
    known: StoredItem | undefined,
    drop: (deletion: ItemDeletion) => Promise<ItemWriteAnswer>,
  ) => Promise<ItemWriteAnswer> | ItemWriteAnswer,
): (backend: Backend) => Backend {
  return withCollections((collections) => ({
    async delete(deletion, call) {
      const drop = (given: ItemDeletion) => collections.delete(given, call)
      if (deletion.mode !== mode) return drop(deletion)
      return spoil(deletion, await itemAt(collections, deletion, call), drop)
    },
  }))
}

function isTombstone(item: StoredItem | undefined): boolean {
  return item !== undefined && item.value === undefined
}

function isNewer(item: StoredItem | undefined, stamp: Stamp): boolean {
  return item?.stamp !== undefined && item.stamp.timeMs > stamp.timeMs
}

/** Takes away what is there, whatever it is, and then does what was asked. */
async function anyway(
  deletion: ItemDeletion,
  drop: (deletion: ItemDeletion) => Promise<ItemWriteAnswer>,
): Promise<ItemWriteAnswer> {
  await drop({ ...deletion, mode: 'remove', stamp: last })
  return drop(deletion)
}

/** So many tombstones a shard keeps. */
const tombstonesMax = 16

function forgetful(backend: Backend): Backend {
  const tombstones = new Map<string, ItemDeletion[]>()
  return withCollections((collections) => ({
    async delete(deletion, call) {
      const answer = await collections.delete(deletion, call)
      if (deletion.mode !== 'tombstone') return answer
      const kept = [...(tombstones.get(nameOf(deletion.shard)) ?? []), deletion]
      const oldest = kept.length > tombstonesMax ? kept.shift() : undefined
      if (oldest !== undefined) await collections.delete({ ...oldest, mode: 'remove' }, call)
      tombstones.set(nameOf(deletion.shard), kept)
      return answer
    },
  }))(backend)
}

/** Deletes in every shard of the key that was written. */
function everywhere(backend: Backend): Backend {
  const written = new Map<string, ShardRef>()
  return withCollections((collections) => ({
    put(put, call) {
      written.set(nameOf(put.shard), put.shard)
      return collections.put(put, call)
    },
    async delete(deletion, call: Call) {
      const answer = await collections.delete(deletion, call)
      for (const shard of written.values())
        if (shard.key === deletion.shard.key) await collections.delete({ ...deletion, shard }, call)
      return answer
    },
  }))(backend)
}

export const itemDeleteMutants: readonly Mutant[] = [
  mutant(
    'tombstone-hides',
    'a delete that arrives twice is told that something newer is there',
    withDeletes('tombstone', (deletion, known, drop) =>
      isTombstone(known) && known?.stamp?.timeMs === deletion.stamp.timeMs
        ? { status: 'newer', stamp: deletion.stamp }
        : drop(deletion),
    ),
    ['item-delete-route'],
  ),
  mutant(
    'tombstone-nothing',
    'where nothing is, a delete leaves nothing',
    withDeletes('tombstone', (deletion, known, drop) => (known === undefined ? done : drop(deletion))),
    ['tombstone-kept', 'item-route', 'item-delete-route'],
  ),
  mutant(
    'tombstone-older',
    'a delete takes away what is newer, too',
    withDeletes('tombstone', (deletion, known, drop) =>
      isNewer(known, deletion.stamp) && !isTombstone(known) ? anyway(deletion, drop) : drop(deletion),
    ),
  ),
  mutant(
    'tombstone-stays',
    'an older tombstone takes the place of a newer one',
    withDeletes('tombstone', (deletion, known, drop) => (isTombstone(known) ? anyway(deletion, drop) : drop(deletion))),
  ),
  mutant(
    'tombstone-gives-way',
    'what was deleted cannot be put again',
    withCollections((collections) => ({
      async put(put, call) {
        const known = await itemAt(collections, put, call)
        return isTombstone(known) && known?.stamp !== undefined
          ? { status: 'newer', stamp: known.stamp }
          : collections.put(put, call)
      },
    })),
  ),
  mutant('tombstone-kept', 'a shard keeps its last sixteen tombstones', forgetful),
  mutant(
    'remove-older',
    'a removal leaves tombstones alone',
    withDeletes('remove', (deletion, known, drop) =>
      isTombstone(known) && !isNewer(known, deletion.stamp) ? done : drop(deletion),
    ),
  ),
  mutant(
    'remove-newer',
    'a removal takes away what is newer, too',
    withDeletes('remove', (deletion, _, drop) => drop({ ...deletion, stamp: last })),
  ),
  mutant(
    'remove-nothing',
    'a removal of nothing is refused',
    withDeletes('remove', (deletion, known, drop) => {
      if (known === undefined) throw new BackendError('rejected', 'The conditional request failed.')
      return drop(deletion)
    }),
    ['item-delete-route'],
  ),
  mutant('delete-neighbours', 'a delete takes the item away in every shard of the key', everywhere),
]
