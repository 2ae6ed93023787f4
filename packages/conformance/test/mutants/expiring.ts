import { expiring, mutant, nameOf, withRecords, type Mutant } from './mutant.js'

export const expiryMutants: readonly Mutant[] = [
  mutant(
    'expiry-kept',
    'a write after which its place may go replaces what is there',
    withRecords((records) => {
      const gone = new Map<string, number>()
      return {
        write(write, call) {
          const [change] = write.changes
          if (write.expiresInMs === undefined || write.stamp !== undefined || change?.rule.kind !== 'max')
            return records.write(write, call)
          gone.set(nameOf(write.shard), Number(change.state))
          return Promise.resolve({ status: 'done' })
        },
        async read(read, call) {
          const answers = await records.read(read, call)
          return answers.map((answer, i) => {
            const shard = read.shards[i]
            const replaced = shard && gone.get(nameOf(shard))
            if (answer.status === 'failed' || replaced === undefined) return answer
            const states = answer.states.map((state, at) => (read.fields[at]?.rule.kind === 'max' ? replaced : state))
            return { ...answer, states }
          })
        },
      }
    }),
  ),
  {
    breaks: 'expiry-goes',
    flaw: 'an expiry is set once and for all',
    harness: expiring(
      withRecords((records) => {
        const set = new Set<string>()
        return {
          write(write, call) {
            if (write.expiresInMs === undefined || !set.has(nameOf(write.shard))) {
              if (write.expiresInMs !== undefined) set.add(nameOf(write.shard))
              return records.write(write, call)
            }
            return records.write({ ...write, expiresInMs: undefined }, call)
          },
        }
      }),
    ),
  },
]
