// Problem: a rule should read as what it claims; the contract's requests are wordier.
// Scheme: a world is one backend with short ways to name keys, shards and fields, to write and to read.
// Invariants: keys of two rules never meet; numbers of writers are taken from a fixed time, so that runs repeat.
// Cost: none to speak of.
// Source: Caffeine's CacheContext.

import { inspect } from 'node:util'

import {
  sequenceAt,
  type AbsorbedShard,
  type AnyRule,
  type Backend,
  type Call,
  type Field,
  type FieldChange,
  type PrepareContext,
  type ShardContents,
  type ShardRef,
  type ShardWrite,
  type WriteAnswer,
  type WriteStamp,
} from '@spillway/core'

import { newCall } from './call.js'
import type { Ending, Harness } from './harness.js'
import { RuleBrokenError } from './rule-broken-error.js'
import { settled } from './settled.js'
import { pause } from './time/pause.js'

/** A field and what is written to it, as an application would say it. */
export type Change = readonly [field: Field, change: unknown]

/** So often, at most, a store is asked whether it can be reached again: a pool has connections that broke in the outage. */
const reachingsMax = 100

/** Between two of these; about as long as clients wait before they connect again. */
const reachingPauseMs = 20

/** The numbers of writers count from here: 14 November 2023. */
const baseSequence = sequenceAt(1_700_000_000_000)

/** A backend under test, as the rules see it. */
export class World {
  /** The backend itself. */
  readonly backend: Backend
  readonly #harness: Harness
  readonly #prefix: string

  constructor(backend: Backend, harness: Harness, ruleId: string) {
    this.backend = backend
    this.#harness = harness
    this.#prefix = `${harness.keyPrefix ?? ''}${ruleId}/`
  }

  /** What goes with one request; another one each time. */
  get call(): Call {
    return newCall()
  }

  /** Shard 0 of a key that no other rule uses. */
  key(name = 'k'): ShardRef {
    return { key: this.#prefix + name, index: 0, generation: { number: 0, nonce: 0 } }
  }

  /** Another shard of the same key. */
  shard(of: ShardRef, index: number, number = 7, nonce = 0xc0ffee): ShardRef {
    return { key: of.key, index, generation: { number, nonce } }
  }

  /** The `sequence`-th number of a writer; everything up to the `forgetUpTo`-th may be forgotten. */
  stamp(writer: string, sequence: number, forgetUpTo = 0): WriteStamp {
    return { writer, sequence: baseSequence + sequence, forgetUpTo: baseSequence + forgetUpTo }
  }

  /** A state of a field's rule, as the core prepares it. `writer` stamps it where the rule goes by stamps. */
  state([field, change]: Change, writer = 'kit'): FieldChange {
    const context: PrepareContext = {
      field: field.name,
      integerMax: this.backend.capabilities.integerMax,
      magnitudes: this.backend.capabilities.magnitudes,
      stamps: { writer, next: () => ({ timeMs: 1_700_000_000_000, order: 0, writer }) },
    }
    return { ...field, state: field.rule.prepare(change, context) }
  }

  /** A request to write. */
  writing(shard: ShardRef, changes: readonly Change[], stamp?: WriteStamp): ShardWrite {
    return { shard, changes: changes.map((change) => this.state(change)), stamp }
  }

  /** Writes; answers with the status. */
  async write(shard: ShardRef, changes: readonly Change[], stamp?: WriteStamp): Promise<WriteAnswer['status']> {
    return (await this.backend.records.write(this.writing(shard, changes, stamp), this.call)).status
  }

  /** The contents of one shard. */
  async contents(shard: ShardRef, fields: readonly Field[]): Promise<ShardContents> {
    const [contents] = await this.gather([shard], fields)
    return contents as ShardContents
  }

  /** The contents of several shards, read at once and strongly. Rejects when one could not be read. */
  async gather(shards: readonly ShardRef[], fields: readonly Field[]): Promise<readonly ShardContents[]> {
    const answers = await this.backend.records.read({ shards, fields, consistency: 'strong' }, this.call)
    if (answers.length !== shards.length) {
      throw new RuleBrokenError(`Expected ${shards.length} answers, but there were ${answers.length}.`)
    }
    return answers.map((answer) => {
      if (answer.status === 'read') return answer
      throw new RuleBrokenError(`Expected every shard to be read, but one failed: ${inspect(answer.error)}`)
    })
  }

  /** What a reader sees of one shard, field by field. */
  async read(shard: ShardRef, fields: readonly Field[]): Promise<readonly unknown[]> {
    return viewsOf(await this.contents(shard, fields), fields)
  }

  /** Seals; answers with what a reader would see. */
  async seal(shard: ShardRef, fields: readonly Field[]): Promise<readonly unknown[]> {
    return viewsOf(await this.backend.records.seal(shard, fields, this.call), fields)
  }

  /** Merges given contents of `source` into `target`. */
  async absorb(
    target: ShardRef,
    source: ShardRef,
    changes: readonly Change[],
    absorbed?: readonly AbsorbedShard[],
  ): Promise<void> {
    const states = changes.map((change) => (change[1] === undefined ? undefined : this.state(change).state))
    const contents: ShardContents = { status: 'read', states, absorbed }
    const fields = changes.map(([field]) => field)
    await this.backend.records.absorb({ target, source, contents, fields }, this.call)
  }

  /** Runs `body` while the store cannot be reached; then waits for a client that has to find out that it can be again. */
  async duringOutage(body: () => Promise<void>): Promise<void> {
    await during(this.#harness.outage?.(this.backend), body)
    await this.#reached()
  }

  /** Runs `body` while the store's answers are lost from a point on; then waits as after an outage. */
  async whileLosing<T>(answeredCount: number, lostCount: number, body: () => Promise<T>): Promise<T> {
    const outcome = await during(this.#harness.loseAnswers?.(this.backend, answeredCount, lostCount), body)
    await this.#reached()
    return outcome
  }

  async #reached(): Promise<void> {
    for (let attempt = 1; attempt < reachingsMax; attempt++) {
      const { status } = await settled('a read of the directory', () => this.backend.directory.read(this.call))
      if (status === 'answered') return
      await pause(reachingPauseMs)
    }
  }

  /** Runs `body` while one shard cannot be read. */
  whileFailing(shard: ShardRef, body: () => Promise<void>): Promise<void> {
    return during(this.#harness.failShard?.(this.backend, shard), body)
  }

  /** Runs `body` while the store refuses so many of its requests for lack of capacity. */
  duringThrottle(requestCount: number, body: () => Promise<void>): Promise<void> {
    return during(this.#harness.throttle?.(this.backend, requestCount), body)
  }

  /** Has the store take away what may go within so many milliseconds. */
  async expire(withinMs: number): Promise<void> {
    await this.#harness.expire?.(this.backend, withinMs)
  }

  /** How many requests the store is sent for `body`. */
  async requestsOf(body: () => Promise<void>): Promise<number> {
    const count = () => this.#harness.requestCount?.(this.backend) ?? NaN
    const before = count()
    await body()
    return count() - before
  }
}

async function during<T>(begun: Promise<Ending> | Ending | undefined, body: () => Promise<T>): Promise<T> {
  const end = await begun
  try {
    return await body()
  } finally {
    await end?.()
  }
}

/** A field by name and rule. */
export function fieldOf(name: string, rule: unknown): Field {
  return { name, rule: rule as AnyRule }
}

/** What a reader sees of contents, field by field. */
function viewsOf(contents: ShardContents, fields: readonly Field[]): readonly unknown[] {
  return fields.map(({ name, rule }, i) => rule.view(contents.states[i], name))
}

/** Which generation of which shard stands in these contents, by index. */
export function absorbedIn(contents: ShardContents): ReadonlyMap<number, number> {
  const entries = (contents.absorbed ?? []).map(({ index, generation }) => [index, generation] as const)
  return new Map(entries.toSorted(([a], [b]) => a - b))
}
