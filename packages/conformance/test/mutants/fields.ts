import type { ShardAnswer, ShardsRead } from '@spillway/core'

import { mutant, nameOf, withRecords, withWrites, type Mutant } from './mutant.js'

/** Changes the states of every shard that is read. */
function withStates(change: (states: readonly unknown[], read: ShardsRead, i: number) => readonly unknown[]) {
  return withRecords((records) => ({
    async read(read, call) {
      const answers = await records.read(read, call)
      return answers.map((answer, i): ShardAnswer => {
        return answer.status === 'read' ? { ...answer, states: change(answer.states, read, i) } : answer
      })
    },
  }))
}

export const fieldMutants: readonly Mutant[] = [
  mutant(
    'first-write',
    'a max of a shard that was never written is 0',
    withStates((states, { fields }) => {
      if (states.some((state) => state !== undefined)) return states
      return fields.map(({ rule }) => (rule.kind === 'max' ? 0 : undefined))
    }),
    ['clear-empties'],
  ),
  mutant(
    'first-write-zero',
    'a max of 0 is not stored',
    withWrites((write) => ({
      ...write,
      changes: write.changes.filter(({ rule, state }) => rule.kind !== 'max' || state !== 0),
    })),
  ),
  mutant(
    'fields-apart',
    'a field that was never written reads as the one before it',
    withStates((states) => states.map((state, i) => state ?? (i === 1 ? states[0] : undefined))),
    ['seal-refuses'],
  ),
  mutant('fields-order', 'states come in the order in which the fields were first written', (backend) => {
    const written = new Map<string, string[]>()
    const { records } = withStates((states, { shards, fields }, i) => {
      const order = written.get(nameOf(shards[i] as ShardsRead['shards'][number])) ?? []
      const present = fields
        .map(({ name }, at) => ({ name, state: states[at] }))
        .filter(({ state }) => state !== undefined)
      const sorted = present.toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name)).values()
      return states.map((state) => (state === undefined ? undefined : sorted.next().value?.state))
    })(backend)
    return withWrites((write) => {
      const order = written.get(nameOf(write.shard)) ?? []
      for (const { name } of write.changes) if (!order.includes(name)) order.push(name)
      written.set(nameOf(write.shard), order)
      return write
    })({ ...backend, records })
  }),
  mutant(
    'fields-names',
    'a field named __proto__ is lost',
    withWrites((write) => ({ ...write, changes: write.changes.filter(({ name }) => name !== '__proto__') })),
  ),
]
