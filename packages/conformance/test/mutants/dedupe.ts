import type { Backend, ShardWrite, WriteAnswer } from '@spillway/core'

import { Ledger, mutant, nameOf, unstamped, withRecords, withWrites, type Mutant } from './mutant.js'

const done: WriteAnswer = { status: 'done' }

/** Takes the number from writes that `again` points at, so that they are applied. */
function withRepeats(isRepeated: (write: ShardWrite, last: number) => boolean) {
  const ledger = new Ledger()
  return withWrites((write) => {
    const last = ledger.last(write)
    if (last !== undefined && isRepeated(write, last)) return unstamped(write)
    ledger.note(write)
    return write
  })
}

function forgettingMutant(): Mutant {
  return mutant(
    'dedupe-forgotten',
    'what is forgotten leaves no trace',
    withRecords((records) => {
      const [epochs, lasts] = [new Map<string, number>(), new Map<string, number>()]
      return {
        write(write, call) {
          if (write.stamp === undefined) return records.write(write, call)
          const { writer, sequence, forgetUpTo } = write.stamp
          for (const [name, last] of lasts) if (last <= forgetUpTo) epochs.set(name, (epochs.get(name) ?? 0) + 1)
          lasts.set(writer, Math.max(sequence, lasts.get(writer) ?? 0))
          const stamp = { writer: `${writer}@${epochs.get(writer) ?? 0}`, sequence, forgetUpTo: 0 }
          return records.write({ ...write, stamp }, call)
        },
      }
    }),
  )
}

/** Keeps the numbers of so many writers, whatever may be forgotten. */
function crowded(writersMax: number): (backend: Backend) => Backend {
  return withRecords((records) => {
    const [kept, epochs] = [new Map<string, Set<string>>(), new Map<string, number>()]
    return {
      write(write, call) {
        if (write.stamp === undefined) return records.write(write, call)
        const [place, { writer }] = [nameOf(write.shard), write.stamp]
        const writers = kept.get(place) ?? new Set()
        kept.set(place, writers.add(writer))
        const [oldest = ''] = writers
        if (writers.size > writersMax && writers.delete(oldest))
          epochs.set(place + oldest, (epochs.get(place + oldest) ?? 0) + 1)
        const stamp = { ...write.stamp, writer: `${writer}@${epochs.get(place + writer) ?? 0}` }
        return records.write({ ...write, stamp }, call)
      },
    }
  })
}

export const dedupeMutants: readonly Mutant[] = [
  {
    ...mutant('dedupe-same', 'only older numbers are left out, not the same one', (backend) =>
      withRepeats(({ stamp }, last) => stamp?.sequence === last)(backend),
    ),
    also: [
      'dedupe-every-field',
      'dedupe-forgotten',
      'dedupe-remembered',
      'seal-after-dedupe',
      'absorb-open',
      'atomic-dedupe',
    ].concat([
      'life-open-twice',
      'life-during-close',
      'clear-dedupe',
      'route-no-field',
      'abort-write',
      'abort-neighbours',
    ]),
  },
  mutant(
    'dedupe-older',
    'only the same number is left out, not an older one',
    (backend) => withRepeats(({ stamp }, last) => stamp !== undefined && stamp.sequence < last)(backend),
    ['seal-after-dedupe', 'clear-dedupe'],
  ),
  mutant(
    'dedupe-newer',
    'numbers are kept to the millisecond',
    withWrites((write) => {
      if (write.stamp === undefined) return write
      return { ...write, stamp: { ...write.stamp, sequence: Math.ceil(write.stamp.sequence / 1_024) * 1_024 } }
    }),
    ['dedupe-forgotten', 'seal-refuses', 'absorb-open', 'atomic-writers'],
  ),
  mutant(
    'dedupe-writers',
    'writers are told apart without regard to case',
    withWrites((write) => {
      if (write.stamp === undefined) return write
      return { ...write, stamp: { ...write.stamp, writer: write.stamp.writer.toLowerCase() } }
    }),
  ),
  mutant(
    'dedupe-every-field',
    'of a second copy only the first field is left out',
    (backend) => {
      const ledger = new Ledger()
      return withWrites((write) => {
        if (ledger.isIn(write) && write.changes.length > 1)
          return unstamped({ ...write, changes: write.changes.slice(1) })
        ledger.note(write)
        return write
      })(backend)
    },
    ['abort-write'],
  ),
  mutant(
    'dedupe-unstamped',
    'of two like writes without a number the second is left out',
    withRecords((records) => {
      const latest = new Map<string, string>()
      return {
        write(write, call) {
          const text = write.changes.map(({ name, rule, state }) => name + rule.encode(state)).join()
          const isAlike = write.stamp === undefined && latest.get(nameOf(write.shard)) === text
          latest.set(nameOf(write.shard), text)
          return isAlike ? Promise.resolve(done) : records.write(write, call)
        },
      }
    }),
    ['strong-read'],
  ),
  forgettingMutant(),
  mutant('dedupe-remembered', 'a shard keeps the numbers of 40 writers, and forgets the oldest too early', crowded(40)),
  mutant(
    'dedupe-expired',
    'what is expired is answered as done',
    withRecords((records) => ({
      async write(write, call) {
        const answer = await records.write(write, call)
        return answer.status === 'expired' ? done : answer
      },
    })),
  ),
  mutant(
    'dedupe-forgotten-up-to',
    'what is expired does not say which number would do',
    withRecords((records) => ({
      async write(write, call) {
        return { ...(await records.write(write, call)), forgottenUpTo: undefined }
      },
    })),
  ),
  mutant(
    'dedupe-first',
    'a shard takes no more than 40 writers',
    withRecords((records) => {
      const writers = new Map<string, Set<string>>()
      return {
        write(write, call) {
          const known = writers.get(nameOf(write.shard)) ?? new Set()
          writers.set(nameOf(write.shard), known)
          if (write.stamp !== undefined && !known.has(write.stamp.writer) && known.size === 40) {
            return Promise.resolve({ status: 'expired' })
          }
          if (write.stamp !== undefined) known.add(write.stamp.writer)
          return records.write(write, call)
        },
      }
    }),
  ),
]
