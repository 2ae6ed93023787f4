// Problem: what one shard stores has to follow the rules dedupe, seal and absorb in one step, whatever arrives late or twice.
// Scheme: a plain object for each place, changed only synchronously; what can throw (a user's own rule) runs before the
//   first change.
// Invariants: a writer's number is applied at most once; nothing changes after the seal; `absorbed` and `forgottenUpTo` only grow.
// Cost: a map lookup and a merge a field; dedupe entries that are past the horizon are removed in passing, a few a write.
// Source: docs/routing.md, rules dedupe, seal and absorb.

import { byteLength } from '../internal/byte-length.js'
import type { AnyRule, Field, RuleKind } from '../merge/merge-rule.js'
import { BackendError } from './backend-error.js'
import type { AbsorbedShard, FieldChange, RouteStamp, WriteAnswer, WriteStamp } from './backend.js'

/** So many dedupe entries a write looks at to forget them: more than one, so that they cannot pile up. */
const lookedAtMax = 8

/** About what a dedupe entry takes: its writer's name and a number. */
const entryBytes = 24

/** A field as it is kept: builtin states are immutable and kept as they are, a user's own as text. */
interface StoredField {
  readonly kind: RuleKind
  state: unknown
  bytes: number
}

/** The stored state of one place. */
export class StoredShard {
  readonly #fields = new Map<string, StoredField>()
  readonly #last = new Map<string, number>()
  #forgottenUpTo = -1
  #isSealed = false
  #absorbed: readonly AbsorbedShard[] | undefined
  #route: RouteStamp | undefined
  #bytes: number
  /** From when on the whole place may go. */
  goneMs = Infinity

  constructor(place: string) {
    this.#bytes = byteLength(place)
  }

  /** About how many bytes the shard takes in a store. */
  get bytes(): number {
    return this.#bytes + this.#last.size * entryBytes
  }

  /** Which shards' contents it has taken in. */
  get absorbed(): readonly AbsorbedShard[] | undefined {
    return this.#absorbed
  }

  /** The route that it was stamped with. */
  get route(): RouteStamp | undefined {
    return this.#route
  }

  /** Whether it is frozen. */
  get isSealed(): boolean {
    return this.#isSealed
  }

  /** The highest number that it has forgotten, which a first attempt must exceed; -1 when it has forgotten none. */
  get forgottenUpTo(): number {
    return this.#forgottenUpTo
  }

  /** Merges a change, unless its number was applied, is forgotten, or the shard is sealed. Throws `BackendError` with nothing done. */
  write(changes: readonly FieldChange[], stamp: WriteStamp | undefined): WriteAnswer['status'] {
    if (stamp !== undefined) {
      const last = this.#last.get(stamp.writer)
      if (last !== undefined && stamp.sequence <= last) return 'done'
      // Before the seal: a forgotten number may be in, and «sealed» would say that it is not.
      if (last === undefined && stamp.sequence <= this.#forgottenUpTo) return 'expired'
    }
    if (this.#isSealed) return 'sealed'
    this.#merge(changes)
    if (stamp !== undefined) {
      this.#remember(stamp)
      if (this.#last.size > 1) this.#forget(stamp)
    }
    return 'done'
  }

  /** Freezes the shard. */
  seal(): void {
    this.#isSealed = true
  }

  /** Names of fields that stand here beside these. */
  otherFields(fields: readonly Field[]): readonly string[] | undefined {
    const asked = new Set(fields.map(({ name }) => name))
    const others = [...this.#fields.keys()].filter((name) => !asked.has(name))
    return others.length === 0 ? undefined : others
  }

  /** Whether it has no fields. */
  get isEmpty(): boolean {
    return this.#fields.size === 0
  }

  /** Drops the fields; the seal and the writers stay. */
  clear(): void {
    for (const { bytes } of this.#fields.values()) this.#bytes -= bytes
    this.#fields.clear()
  }

  /** Keeps the later of two stamps. */
  stampRoute(stamp: RouteStamp): void {
    if (this.#route === undefined || this.#route.revision < stamp.revision) this.#route = stamp
  }

  /** The states of these fields, in their order. Throws `BackendError` when one is stored by another kind of rule. */
  states(fields: readonly Field[]): readonly unknown[] {
    return fields.map((field) => {
      const stored = this.#stored(field)
      return stored === undefined ? undefined : loaded(field.rule, stored.state)
    })
  }

  /** Merges a sealed shard's contents and records it in the same step; does nothing when that generation or a later one is recorded. */
  absorb(source: AbsorbedShard, changes: readonly FieldChange[], nested: readonly AbsorbedShard[]): void {
    const known = this.#absorbed ?? []
    if (known.some((entry) => entry.index === source.index && entry.generation >= source.generation)) return
    if (this.#isSealed)
      throw new BackendError(
        'invalid',
        'A sealed shard takes in nothing: absorb into the shard that stays, before it is sealed itself.',
      )
    this.#merge(changes)
    this.#absorbed = united([...known, source, ...nested])
  }

  #stored(field: Field): StoredField | undefined {
    const stored = this.#fields.get(field.name)
    if (stored !== undefined && stored.kind !== field.rule.kind) {
      throw new BackendError(
        'invalid',
        `Field ${JSON.stringify(field.name)} is stored as ${stored.kind}, but was asked for as ${field.rule.kind}.`,
      )
    }
    return stored
  }

  #merge(changes: readonly FieldChange[]): void {
    if (changes.length === 1) return this.#commit(changes[0] as FieldChange, this.#merged(changes[0] as FieldChange))
    const merged = changes.map((change) => this.#merged(change))
    for (let i = 0; i < changes.length; i++) this.#commit(changes[i] as FieldChange, merged[i])
  }

  #merged(change: FieldChange): unknown {
    const stored = this.#stored(change)
    const { rule } = change
    if (rule.kind !== 'custom') return stored === undefined ? change.state : rule.merge(stored.state, change.state)
    return rule.encode(
      stored === undefined ? change.state : rule.merge(rule.decode(stored.state as string), change.state),
    )
  }

  #commit(change: FieldChange, state: unknown): void {
    const stored = this.#fields.get(change.name)
    if (stored === undefined) {
      const bytes = byteLength(change.name) + bytesOf(change.rule, state)
      this.#fields.set(change.name, { kind: change.rule.kind, state, bytes })
      this.#bytes += bytes
    } else if (stored.state !== state) {
      if (typeof state !== 'number') {
        const bytes = byteLength(change.name) + bytesOf(change.rule, state)
        this.#bytes += bytes - stored.bytes
        stored.bytes = bytes
      }
      stored.state = state
    }
  }

  /** Keeps the map in the order of the latest writes, so that what can be forgotten stands first. */
  #remember(stamp: WriteStamp): void {
    if (this.#last.size > 1) this.#last.delete(stamp.writer)
    this.#last.set(stamp.writer, stamp.sequence)
  }

  #forget(stamp: WriteStamp): void {
    let looked = 0
    for (const [writer, sequence] of this.#last) {
      if (looked++ === lookedAtMax) return
      if (sequence > stamp.forgetUpTo || writer === stamp.writer) continue
      this.#last.delete(writer)
      this.#forgottenUpTo = Math.max(this.#forgottenUpTo, sequence)
    }
  }
}

function loaded(rule: AnyRule, state: unknown): unknown {
  return rule.kind === 'custom' ? rule.decode(state as string) : state
}

function bytesOf(rule: AnyRule, state: unknown): number {
  return rule.kind === 'custom' ? byteLength(state as string) : rule.bytes(state)
}

/** One entry a shard, with its highest generation. */
function united(entries: readonly AbsorbedShard[]): readonly AbsorbedShard[] {
  const highest = new Map<number, AbsorbedShard>()
  for (const entry of entries) {
    const known = highest.get(entry.index)
    if (known === undefined || known.generation < entry.generation) {
      highest.set(entry.index, Object.freeze({ index: entry.index, generation: entry.generation }))
    }
  }
  return Object.freeze([...highest.values()])
}
