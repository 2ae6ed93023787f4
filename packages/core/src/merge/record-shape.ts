import { InvalidArgumentError } from '../errors/misuse-error.js'
import { isWellFormed } from '../internal/well-formed.js'
import type { AnyRule, Field, PrepareContext } from './merge-rule.js'
import type { StampSource } from './stamp.js'

/** The fields of a record, compiled once so that a write finds its rule by one look-up. */
export class RecordShape {
  /** The record's name, for events and messages. */
  readonly name: string
  /** In the order of declaration; states of a record are arrays in this order. */
  readonly fields: readonly Field[]
  /** Whether writes that could count twice carry a stamp. */
  readonly hasDedupe: boolean
  /** Whether any field is `latest`. */
  readonly hasLatest: boolean
  /** Position of a field by its name. */
  readonly indexOf: ReadonlyMap<string, number>
  readonly #names: readonly string[]
  readonly #hasFixedBytes: readonly boolean[]
  readonly #isOwned: readonly boolean[]
  readonly #unwritten: readonly undefined[]
  /** Where a change is merged before all of it is known to be good. Taken away while in use, for a user's rule may write to this record. */
  #scratch: unknown[] | undefined

  /** Checks names and rules. Throws `InvalidArgumentError`. */
  constructor(name: string, rules: Readonly<Record<string, AnyRule>>, hasDedupe = true) {
    this.name = requireName(name)
    this.hasDedupe = hasDedupe
    if (typeof rules !== 'object' || rules === null || Array.isArray(rules))
      throw new InvalidArgumentError('rules', 'an object of rules by field name', rules)
    this.fields = Object.freeze(Object.entries(rules).map(([field, rule]) => Object.freeze(requireField(field, rule))))
    if (this.fields.length === 0 || this.fields.length > fieldsMax)
      throw new InvalidArgumentError('rules', `1 to ${fieldsMax} fields`, this.fields.length)
    this.hasLatest = this.fields.some(({ rule }) => rule.kind === 'latest')
    this.indexOf = new Map(this.fields.map((field, index) => [field.name, index]))
    this.#names = this.fields.map((field) => field.name)
    this.#hasFixedBytes = this.fields.map(({ rule }) => fixedBytes.has(rule.kind))
    this.#isOwned = this.fields.map(({ rule }) => rule.owned !== undefined)
    this.#unwritten = this.fields.map(() => undefined)
  }

  /**
   * Merges a caller's change into the states of a window, all of it or nothing. Answers by how many bytes they grow; when
   * that is more than `grownBytesMax`, nothing has been merged. The window must hold its states alone. Code of the user's
   * runs meanwhile: getters of the change, and rules of their own. Throws `InvalidArgumentError`.
   */
  mergeInto(states: unknown[], change: unknown, context: MergeContext, grownBytesMax: number): number {
    if (typeof change !== 'object' || change === null) throw this.#notAChange(change)
    const merged = this.#takeScratch()
    let position = 0
    let grownBytes = 0
    for (const name in change) {
      // Most changes name the fields in the order of their declaration.
      const index = this.#names[position] === name ? position : this.indexOf.get(name)
      if (index === undefined || !Object.hasOwn(change, name)) throw this.#unknownField(name)
      const { rule } = this.fields[index] as Field
      context.field = name
      const prepared = rule.prepare((change as Record<string, unknown>)[name], context)
      const before = states[index]
      if (this.#hasFixedBytes[index] === true) {
        const after = before === undefined ? prepared : rule.merge(before, prepared)
        if (before !== undefined && !rule.fits(after, context)) throw outgrown(name, after)
        merged[index] = after
      } else grownBytes += this.#mergeGrowing(merged, before, index, prepared, context)
      position += 1
    }
    if (position === 0) throw this.#noField(change)
    this.#commit(states, merged, grownBytes <= grownBytesMax)
    return grownBytes
  }

  /** The same for states that have been prepared already: what a change became that had to wait. They are given away. */
  mergePrepared(states: unknown[], prepared: readonly unknown[], context: MergeContext, grownBytesMax: number): number {
    const merged = this.#takeScratch()
    let grownBytes = 0
    for (const [index, { name }] of this.fields.entries()) {
      if (prepared[index] === undefined) continue
      context.field = name
      grownBytes += this.#mergeGrowing(merged, states[index], index, prepared[index], context)
    }
    this.#commit(states, merged, grownBytes <= grownBytesMax)
    return grownBytes
  }

  /** The states of a window to which nothing has been written. */
  newStates(): unknown[] {
    return this.#unwritten.slice() // exactly as long as need be, which pushing would not be
  }

  /** What a window's states are to a backend. */
  changesOf(states: readonly unknown[]): readonly FieldState[] {
    const { fields } = this
    const only = fields[0]
    if (fields.length === 1 && only !== undefined) return [{ name: only.name, rule: only.rule, state: states[0] }]
    const changes: FieldState[] = []
    for (const [i, { name, rule }] of fields.entries()) {
      if (states[i] !== undefined) changes.push({ name, rule, state: states[i] })
    }
    return changes
  }

  /** The states of a window as they are now: what is merged later does not show in them. */
  copyOf(states: readonly unknown[]): readonly unknown[] {
    return states.map((state, i) => {
      const owned = this.fields[i]?.rule.owned
      return owned === undefined || state === undefined ? state : owned.copy(state)
    })
  }

  /** Whether a write of these states must carry a dedupe stamp: some changed field would count twice. */
  needsStamp(states: readonly unknown[]): boolean {
    if (!this.hasDedupe) return false
    for (let i = 0; i < this.fields.length; i++) {
      if (states[i] !== undefined && !(this.fields[i] as Field).rule.isIdempotent) return true
    }
    return false
  }

  /** Merges a field of any rule. Answers by how many bytes it would grow; leaves in `merged` what `#commit` needs. */
  #mergeGrowing(merged: unknown[], before: unknown, index: number, prepared: unknown, context: MergeContext): number {
    const { name, rule } = this.fields[index] as Field
    if (before === undefined) {
      merged[index] = prepared
      return this.#hasFixedBytes[index] === true ? 0 : rule.bytes(prepared)
    }
    if (rule.owned !== undefined) {
      merged[index] = prepared
      return rule.owned.grownBytes(before, prepared)
    }
    const after = rule.merge(before, prepared)
    if (!rule.fits(after, context)) throw outgrown(name, after)
    merged[index] = after
    return this.#hasFixedBytes[index] === true || after === before ? 0 : rule.bytes(after) - rule.bytes(before)
  }

  #commit(states: unknown[], merged: unknown[], isAccepted: boolean): void {
    for (let i = 0; i < merged.length; i++) {
      if (merged[i] === undefined) continue
      if (isAccepted) {
        if (this.#isOwned[i] === true && states[i] !== undefined)
          (this.fields[i] as Field).rule.owned?.add(states[i], merged[i])
        else states[i] = merged[i]
      }
      merged[i] = undefined
    }
    this.#scratch = merged
  }

  /** One array for all changes; while it is taken, or after a change that threw, a new one. */
  #takeScratch(): unknown[] {
    const scratch = this.#scratch ?? this.newStates()
    this.#scratch = undefined
    return scratch
  }

  #notAChange(change: unknown): InvalidArgumentError {
    return new InvalidArgumentError('change', `an object with fields of record ${this.name}`, change)
  }

  #noField(change: object): InvalidArgumentError {
    return new InvalidArgumentError('change', `an object with at least one field of record ${this.name}`, change)
  }

  #unknownField(name: string): InvalidArgumentError {
    const known = this.fields.map((field) => JSON.stringify(field.name)).join(', ')
    return new InvalidArgumentError('change', `made of the fields of record ${this.name} (${known})`, name)
  }

  /** What a reader sees of merged states; frozen, since all readers of a flight share it. Throws `ValueOutOfRangeError`. */
  view(states: readonly unknown[]): Record<string, unknown> {
    const value: Record<string, unknown> = {}
    for (let i = 0; i < this.fields.length; i++) {
      const { name, rule } = this.fields[i] as Field
      const seen = rule.view(states[i], name)
      if (name === '__proto__')
        Object.defineProperty(value, name, { value: seen, enumerable: true, configurable: true, writable: true })
      else value[name] = seen
    }
    return Object.freeze(value)
  }
}

/** A field with what has been merged into it. */
export interface FieldState extends Field {
  /** A state of the field's rule. */
  readonly state: unknown
}

/** A `PrepareContext` that is reused from change to change. */
export interface MergeContext extends PrepareContext {
  field: string
  readonly stamps: StampSource
}

const fieldsMax = 256
const ruleParts = ['prepare', 'merge', 'fits', 'view', 'bytes', 'encode', 'decode'] as const

/** Rules whose states take the same few bytes whatever is merged. */
const fixedBytes: ReadonlySet<string> = new Set(['sum', 'max', 'min'])

function outgrown(name: string, state: unknown): InvalidArgumentError {
  const argument = `change[${JSON.stringify(name)}]`
  return new InvalidArgumentError(
    argument,
    'a number with which the total of its window stays in range',
    state,
    'That is the total. This change is not in; those before it are. Write it again later.',
  )
}

function requireName(name: unknown): string {
  if (typeof name !== 'string' || name === '')
    throw new InvalidArgumentError('name', 'a record name of at least one character', name)
  return name
}

function requireField(name: string, rule: unknown): Field {
  if (name === '' || !isWellFormed(name))
    throw new InvalidArgumentError('rules', 'an object of rules by well-formed, non-empty field names', name)
  const candidate = rule as Partial<AnyRule> | null
  if (
    typeof candidate !== 'object' ||
    candidate === null ||
    ruleParts.some((part) => typeof candidate[part] !== 'function')
  ) {
    throw new InvalidArgumentError(`rules[${JSON.stringify(name)}]`, 'a merge rule such as sum() or mergeRule(…)', rule)
  }
  return { name, rule: candidate as AnyRule }
}
