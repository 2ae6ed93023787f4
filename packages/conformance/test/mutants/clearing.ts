import { BackendError, type RecordStore, type ShardAnswer, type ShardRef } from '@spillway/core'

import { expiring, mutant, nameOf, withRecords, type Mutant } from './mutant.js'

/** Replaces some requests, with a view to which places were cleared. */
function withCleared(spoil: (records: RecordStore, isCleared: (shard: ShardRef) => boolean) => Partial<RecordStore>) {
  return withRecords((records) => {
    const cleared = new Set<string>()
    const spoilt = spoil(records, (shard) => cleared.has(nameOf(shard)))
    const clear = spoilt.clear ?? ((shard, retentionMs, call) => records.clear(shard, retentionMs, call))
    return {
      ...spoilt,
      async clear(shard, retentionMs, call) {
        const answer = await clear(shard, retentionMs, call)
        cleared.add(nameOf(shard))
        return answer
      },
    }
  })
}

/** Changes what is read of each shard. */
function reading(records: RecordStore, change: (answer: ShardAnswer, shard: ShardRef) => ShardAnswer) {
  const read: RecordStore['read'] = async (asked, call) => {
    const answers = await records.read(asked, call)
    return answers.map((answer, i) => change(answer, asked.shards[i] as ShardRef))
  }
  return read
}

export const clearingMutants: readonly Mutant[] = [
  mutant(
    'clear-empties',
    'maxima of a cleared shard stay',
    withCleared((records, isCleared) => {
      const maxima = new Map<string, unknown>()
      return {
        write(write, call) {
          for (const { name, rule, state } of write.changes)
            if (rule.kind === 'max') maxima.set(nameOf(write.shard) + name, state)
          return records.write(write, call)
        },
        async read(read, call) {
          const answers = await records.read(read, call)
          return answers.map((answer, i): ShardAnswer => {
            const shard = read.shards[i] as ShardRef
            if (answer.status === 'failed' || !isCleared(shard)) return answer
            return { ...answer, states: read.fields.map(({ name }) => maxima.get(nameOf(shard) + name)) }
          })
        },
      }
    }),
  ),
  mutant(
    'clear-sealed',
    'a cleared shard takes writes without a number again',
    withCleared((records, isCleared) => ({
      write(write, call) {
        const isTaken = write.stamp === undefined && isCleared(write.shard)
        return isTaken ? Promise.resolve({ status: 'done' }) : records.write(write, call)
      },
    })),
  ),
  mutant(
    'clear-dedupe',
    'a cleared shard has forgotten its writers',
    withCleared((records, isCleared) => ({
      write(write, call) {
        return isCleared(write.shard) ? Promise.resolve({ status: 'sealed' }) : records.write(write, call)
      },
    })),
  ),
  mutant(
    'clear-absorbed',
    'a cleared shard has forgotten what it took in',
    withCleared((records, isCleared) => ({
      read: reading(records, (answer, shard) =>
        answer.status === 'read' && isCleared(shard) ? { ...answer, absorbed: undefined } : answer,
      ),
    })),
  ),
  mutant(
    'clear-twice',
    'a second clear finds nothing to clear and fails',
    withCleared((records, isCleared) => ({
      clear(shard, retentionMs, call) {
        if (isCleared(shard)) return Promise.reject(new BackendError('rejected', 'There is nothing to clear.'))
        return records.clear(shard, retentionMs, call)
      },
    })),
  ),
  {
    breaks: 'clear-goes',
    flaw: 'an expiry that is there already is left as it is',
    harness: expiring(
      withRecords((records) => {
        const kept = new Set<string>()
        return {
          write(write, call) {
            if (write.expiresInMs !== undefined) kept.add(nameOf(write.shard))
            return records.write(write, call)
          },
          clear: (shard, retentionMs, call) =>
            records.clear(shard, kept.has(nameOf(shard)) ? 3_600_000 : retentionMs, call),
        }
      }),
    ),
  },
  mutant(
    'clear-unsealed',
    'a clear of a shard that is not sealed is answered as done',
    withRecords((records) => ({
      clear: (shard, retentionMs, call) => records.clear(shard, retentionMs, call).catch(() => 'stays'),
    })),
  ),
  mutant(
    'clear-apart',
    'every generation of the index is cleared',
    withRecords((records) => {
      const cleared = new Set<string>()
      return {
        read: reading(records, (answer, { key, index }) => {
          if (answer.status === 'failed' || !cleared.has(`${key} ${index}`)) return answer
          return { ...answer, states: answer.states.map(() => undefined) }
        }),
        async clear(shard, retentionMs, call) {
          const answer = await records.clear(shard, retentionMs, call)
          cleared.add(`${shard.key} ${shard.index}`)
          return answer
        },
      }
    }),
  ),
]
