import type { Stamp } from '@spillway/core'

import { itemAt, mutant, tick, withCollections, withPuts, type Mutant } from './mutant.js'

/** Greater than any. */
const last: Stamp = { timeMs: Number.MAX_SAFE_INTEGER, order: 0, writer: '~' }

function isSame(a: Stamp, b: Stamp): boolean {
  return a.timeMs === b.timeMs && a.order === b.order && a.writer === b.writer
}

function isOlder(a: Stamp, b: Stamp): boolean {
  if (a.timeMs !== b.timeMs) return a.timeMs < b.timeMs
  return a.order === b.order ? a.writer < b.writer : a.order < b.order
}

export const itemVersionMutants: readonly Mutant[] = [
  mutant(
    'version-exact',
    'a writer is cut after eight characters',
    withPuts((put) => ({ ...put, stamp: { ...put.stamp, writer: put.stamp.writer.slice(0, 8) } })),
  ),
  mutant(
    'version-newer',
    'of two versions of one millisecond the first stays',
    withCollections((collections) => ({
      async put(put, call) {
        const known = (await itemAt(collections, put, call))?.stamp
        if (known?.timeMs === put.stamp.timeMs && !isSame(known, put.stamp)) return { status: 'newer', stamp: known }
        return collections.put(put, call)
      },
    })),
  ),
  mutant(
    'version-older',
    'of two versions of one millisecond the last stays',
    withCollections((collections) => ({
      async put(put, call) {
        const known = (await itemAt(collections, put, call))?.stamp
        if (known?.timeMs === put.stamp.timeMs)
          await collections.delete({ ...put, stamp: last, mode: 'remove', retentionMs: 0 }, call)
        return collections.put(put, call)
      },
    })),
  ),
  mutant(
    'version-again',
    'a put that arrives twice is told that something newer is there',
    withCollections((collections) => ({
      async put(put, call) {
        const known = (await itemAt(collections, put, call))?.stamp
        return known !== undefined && isSame(known, put.stamp)
          ? { status: 'newer', stamp: known }
          : collections.put(put, call)
      },
    })),
    ['item-abort-put'],
  ),
  mutant(
    'version-copied',
    'versions are compared with those of the same item in other shards',
    withCollections((collections) => {
      const newest = new Map<string, Stamp>()
      return {
        put(put, call) {
          const name = `${put.shard.key} ${String(put.sort)}`
          const known = newest.get(name)
          if (put.shard.index === 1 && known !== undefined && isOlder(put.stamp, known))
            return Promise.resolve({ status: 'newer', stamp: known })
          if (put.shard.index > 1) newest.set(name, put.stamp)
          return collections.put(put, call)
        },
      }
    }),
  ),
  mutant(
    'version-race',
    'the version is looked at first and the item written later',
    withCollections((collections) => ({
      async put(put, call) {
        const known = (await itemAt(collections, put, call))?.stamp
        await tick()
        if (known !== undefined && isOlder(put.stamp, known)) return { status: 'newer', stamp: known }
        const cleared = collections.delete({ ...put, stamp: last, mode: 'remove', retentionMs: 0 }, call)
        const [, answer] = await Promise.all([cleared, collections.put(put, call)])
        return answer
      },
    })),
  ),
  mutant(
    'version-pages',
    'a large item is written in two halves',
    withCollections((collections) => ({
      async put(put, call) {
        const properties = Object.entries(put.value)
        if (properties.length > 3) {
          await collections.put({ ...put, value: Object.fromEntries(properties.slice(0, 3)) }, call)
          await tick()
        }
        return collections.put(put, call)
      },
    })),
  ),
]
