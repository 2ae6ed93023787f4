import type { Backend, FieldChange, ShardAnswer, ShardWrite, WriteAnswer } from '@spillway/core'

import { Ledger, mutant, nameOf, tick, unstamped, withRecords, type Mutant } from './mutant.js'

const done: WriteAnswer = { status: 'done' }

/** Read, change and write back: of writes that overlap, one stays. */
function lossy(isLost: (write: ShardWrite) => boolean): (backend: Backend) => Backend {
  return withRecords((records) => {
    const busy = new Set<string>()
    return {
      async write(write, call) {
        const name = nameOf(write.shard)
        if (busy.has(name) && isLost(write)) return done
        busy.add(name)
        const answer = await records.write(write, call)
        await tick()
        busy.delete(name)
        return answer
      },
    }
  })
}

/** Fields are written one after the other. */
function piecemeal(backend: Backend): Backend {
  const ledger = new Ledger()
  return withRecords((records) => ({
    async write(write, call) {
      if (write.changes.length === 1 || ledger.isIn(write)) return records.write(write, call)
      ledger.note(write)
      const answer = await records.write({ ...write, changes: [write.changes[0] as FieldChange] }, call)
      await tick()
      if (answer.status === 'done') await records.write(unstamped({ ...write, changes: write.changes.slice(1) }), call)
      return answer
    },
  }))(backend)
}

/** Answers of reads are kept until a place was written twice. */
function cached(backend: Backend): Backend {
  const [answers, writes] = [new Map<string, ShardAnswer>(), new Map<string, number>()]
  return withRecords((records) => ({
    write(write, call) {
      const name = nameOf(write.shard)
      writes.set(name, (writes.get(name) ?? 0) + 1)
      return records.write(write, call)
    },
    async read(read, call) {
      const fresh = await records.read(read, call)
      return fresh.map((answer, i) => {
        const place = nameOf(read.shards[i] as ShardWrite['shard'])
        const name = place + read.fields.map((field) => field.name).join()
        const kept = answers.get(name)
        if (kept !== undefined && (writes.get(place) ?? 0) === 1) return kept
        answers.set(name, answer)
        writes.set(place, 0)
        return answer
      })
    },
  }))(backend)
}

export const atomicityMutants: readonly Mutant[] = [
  mutant(
    'atomic-writers',
    'of writes that overlap one stays',
    lossy(() => true),
    ['seal-race', 'absorb-beside-writes', 'atomic-custom'],
  ),
  mutant(
    'atomic-custom',
    "of writes of a user's own rule that overlap one stays",
    lossy(({ changes }) => changes.some(({ rule }) => rule.kind === 'custom')),
  ),
  mutant('atomic-fields', 'fields are written one after the other', piecemeal),
  mutant('atomic-dedupe', 'the number is looked at first and written later', (backend) => {
    const ledger = new Ledger()
    return withRecords((records) => ({
      async write(write, call) {
        if (ledger.isIn(write)) return done
        await tick()
        const answer = await records.write(unstamped(write), call)
        if (answer.status === 'done') ledger.note(write)
        return answer
      },
    }))(backend)
  }),
  mutant('strong-read', 'a read may be answered from before the last write', cached),
]
