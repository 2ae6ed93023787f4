import type { Backend, WriteAnswer } from '@spillway/core'

import { Ledger, mutant, nameOf, tick, withRecords, type Mutant } from './mutant.js'

const sealed: WriteAnswer = { status: 'sealed' }

/** A seal that is kept beside the backend, where writes without a number get past it. */
function leakySeal(backend: Backend): Backend {
  const [ledger, seals] = [new Ledger(), new Set<string>()]
  return withRecords((records) => ({
    write(write, call) {
      if (!seals.has(nameOf(write.shard))) ledger.note(write)
      else if (write.stamp !== undefined) return Promise.resolve(ledger.isIn(write) ? { status: 'done' } : sealed)
      return records.write(write, call)
    },
    async seal(shard, fields, call) {
      seals.add(nameOf(shard))
      const [contents] = await records.read({ shards: [shard], fields, consistency: 'strong' }, call)
      if (contents?.status !== 'read') throw new Error('unreadable')
      return contents
    },
    async clear(shard, retentionMs, call) {
      if (seals.has(nameOf(shard))) await records.seal(shard, [], call)
      return records.clear(shard, retentionMs, call)
    },
    absorb: (absorb, call) => (seals.has(nameOf(absorb.target)) ? Promise.resolve() : records.absorb(absorb, call)),
  }))(backend)
}

export const sealingMutants: readonly Mutant[] = [
  mutant('seal-refuses', 'a sealed shard still takes writes without a number', leakySeal, ['seal-others']),
  mutant(
    'seal-after-dedupe',
    'the seal is looked at before the number',
    withRecords((records) => {
      const seals = new Set<string>()
      return {
        write: (write, call) => (seals.has(nameOf(write.shard)) ? Promise.resolve(sealed) : records.write(write, call)),
        seal(shard, fields, call) {
          seals.add(nameOf(shard))
          return records.seal(shard, fields, call)
        },
      }
    }),
    ['clear-dedupe'],
  ),
  mutant(
    'seal-unwritten',
    'a shard that is not there is not sealed',
    withRecords((records) => {
      const written = new Set<string>()
      return {
        write(write, call) {
          written.add(nameOf(write.shard))
          return records.write(write, call)
        },
        absorb(absorb, call) {
          written.add(nameOf(absorb.target))
          return records.absorb(absorb, call)
        },
        seal(shard, fields, call) {
          if (written.has(nameOf(shard))) return records.seal(shard, fields, call)
          return Promise.resolve({ status: 'read', states: fields.map(() => undefined) })
        },
      }
    }),
    ['clear-twice'],
  ),
  mutant(
    'seal-contents',
    'only the first seal answers with contents',
    withRecords((records) => {
      const seals = new Set<string>()
      return {
        async seal(shard, fields, call) {
          const contents = await records.seal(shard, fields, call)
          if (seals.has(nameOf(shard))) return { ...contents, states: fields.map(() => undefined) }
          seals.add(nameOf(shard))
          return contents
        },
      }
    }),
  ),
  mutant(
    'seal-others',
    'a seal does not tell of fields that it was not asked for',
    withRecords((records) => ({
      async seal(shard, fields, call) {
        return { ...(await records.seal(shard, fields, call)), otherFields: undefined }
      },
    })),
  ),
  mutant(
    'seal-race',
    'contents are read before the seal',
    withRecords((records) => ({
      async seal(shard, fields, call) {
        const [contents] = await records.read({ shards: [shard], fields, consistency: 'strong' }, call)
        await tick()
        const { otherFields } = await records.seal(shard, fields, call)
        if (contents?.status !== 'read') throw new Error('unreadable')
        return { ...contents, otherFields }
      },
    })),
  ),
]
