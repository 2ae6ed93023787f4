import { fc } from '@fast-check/vitest'
import { expect, test } from 'vitest'
import type { Backend, ShardContents, WriteStamp } from '../../../src/backend/backend.js'
import { memory } from '../../../src/backend/memory-backend.js'
import { ownGeneration, type ShardRef } from '../../../src/operation.js'
import { absorbOf, adding, call, contentsOf, stampOf, totalField } from '../../unit/backend/requests.js'

/** What the contract says of one place, kept the naive way: nothing is ever forgotten. */
interface NaiveShard {
  total: number | undefined
  readonly highest: Map<string, number>
  /** Up to where writers were allowed to be forgotten. */
  forgettable: number
  isSealed: boolean
  readonly absorbed: Map<number, number>
}

const place = fc.record({ index: fc.nat({ max: 3 }), number: fc.integer({ min: 1, max: 2 }) })
const command = fc.oneof(
  fc.record({
    kind: fc.constant('write' as const),
    place,
    writer: fc.constantFrom('a', 'b', 'c'),
    sequence: fc.integer({ min: 1, max: 30 }),
    isStamped: fc.boolean(),
    age: fc.constantFrom(10, 30),
    amount: fc.integer({ min: -5, max: 5 }),
  }),
  fc.record({ kind: fc.constant('seal' as const), place }),
  fc.record({ kind: fc.constant('absorb' as const), place, target: place }),
)
type Command = typeof command extends fc.Arbitrary<infer C> ? C : never

function refOf({ index, number }: { index: number; number: number }): ShardRef {
  return { key: 'k', index, generation: index === 0 ? ownGeneration : { number, nonce: 1 } }
}

class NaiveStore {
  readonly #shards = new Map<string, NaiveShard>()

  at(ref: ShardRef): NaiveShard {
    const name = JSON.stringify(ref)
    let shard = this.#shards.get(name)
    if (shard === undefined) {
      shard = { total: undefined, highest: new Map(), forgettable: 0, isSealed: false, absorbed: new Map() }
      this.#shards.set(name, shard)
    }
    return shard
  }

  /** What a backend may answer to a write: `expired` only where the number is old enough to have been forgotten. */
  write(ref: ShardRef, stamp: WriteStamp | undefined): readonly string[] {
    const shard = this.at(ref)
    const isIn = stamp !== undefined && stamp.sequence <= (shard.highest.get(stamp.writer) ?? 0)
    const isOld = stamp !== undefined && stamp.sequence <= shard.forgettable
    if (isIn) return isOld ? ['done', 'expired'] : ['done']
    return shard.isSealed ? (isOld ? ['sealed', 'expired'] : ['sealed']) : isOld ? ['done', 'expired'] : ['done']
  }

  /** Notes that a write was answered with `done`. */
  done(ref: ShardRef, amount: number, stamp: WriteStamp | undefined): void {
    const shard = this.at(ref)
    if (stamp !== undefined) {
      if (stamp.sequence <= (shard.highest.get(stamp.writer) ?? 0)) return
      shard.highest.set(stamp.writer, stamp.sequence)
      shard.forgettable = Math.max(shard.forgettable, stamp.forgetUpTo)
    }
    shard.total = (shard.total ?? 0) + amount
  }

  /** Whether it may be absorbed, and if so that it was. */
  absorb(target: ShardRef, source: ShardRef, contents: ShardContents): boolean {
    const shard = this.at(target)
    const { number } = source.generation
    if ((shard.absorbed.get(source.index) ?? -1) >= number) return true
    if (shard.isSealed) return false
    const [state] = contents.states as (number | undefined)[]
    if (state !== undefined) shard.total = (shard.total ?? 0) + state
    for (const { index, generation } of [{ index: source.index, generation: number }, ...(contents.absorbed ?? [])]) {
      shard.absorbed.set(index, Math.max(shard.absorbed.get(index) ?? -1, generation))
    }
    return true
  }
}

/** Takes a step in both stores; says how they differ. */
async function take(step: Command, backend: Backend, naive: NaiveStore): Promise<string | undefined> {
  const ref = refOf(step.place)
  if (step.kind === 'write') {
    const stamp = step.isStamped ? stampOf(step.writer, step.sequence, step.sequence - step.age) : undefined
    const { status } = await backend.records.write({ shard: ref, changes: adding(step.amount), stamp }, call)
    const allowed = naive.write(ref, stamp)
    if (status === 'done') naive.done(ref, step.amount, stamp)
    return allowed.includes(status) ? undefined : `answered ${status}, not ${allowed.join(' or ')}`
  }
  if (step.kind === 'seal') {
    const { states } = await backend.records.seal(ref, [totalField], call)
    naive.at(ref).isSealed = true
    return states[0] === naive.at(ref).total ? undefined : `sealed with ${String(states[0])}`
  }
  const target = refOf(step.target)
  const contents = await contentsOf(backend, ref)
  const absorbing = backend.records.absorb(absorbOf(target, ref, contents), call)
  const isDone = await absorbing.then(
    () => true,
    () => false,
  )
  return isDone === naive.absorb(target, ref, contents) ? undefined : `absorbed: ${String(isDone)}`
}

test('memory agrees with a naive store that forgets nothing, whatever comes in whichever order', async () => {
  const property = fc.asyncProperty(fc.array(command, { maxLength: 60 }), async (steps) => {
    const [backend, naive] = [memory(), new NaiveStore()]
    for (const step of steps) expect(await take(step, backend, naive)).toBeUndefined()
    for (const ref of [0, 1, 2, 3].flatMap((index) => [refOf({ index, number: 1 }), refOf({ index, number: 2 })])) {
      const { states, absorbed } = await contentsOf(backend, ref)
      const shard = naive.at(ref)
      expect(states).toEqual([shard.total])
      expect(new Map(absorbed?.map(({ index, generation }) => [index, generation]))).toEqual(shard.absorbed)
    }
  })
  await fc.assert(property, { numRuns: 1_000 })
})
