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
  /** Whether any field is `latest`. */
  readonly hasLatest: boolean
  /** Position of a field by its name. */
  readonly indexOf: ReadonlyMap<string, number>
  readonly #names: readonly string[]
  readonly #hasFixedBytes: readonly boolean[]
  /** Where a change is merged before all of it is known to be good. Taken away while in use, for a user's rule may write to this record. */
  #scratch: unknown[] | undefined

  /** Checks names and rules. Throws `InvalidArgumentError`. */
  constructor(name: string, rules: Readonly<Record<string, AnyRule>>) {
    this.name = requireName(name)
    if (typeof rules !== 'object' || rules === null || Array.isArray(rules))
      throw new InvalidArgumentError('rules', 'an object of rules by field name', rules)
    this.fields = Object.freeze(Object.entries(rules).map(([field, rule]) => Object.freeze(requireField(field, rule))))
    if (this.fields.length === 0 || this.fields.length > fieldsMax)
      throw new InvalidArgumentError('rules', `1 to ${fieldsMax} fields`, this.fields.length)
    this.hasLatest = this.fields.some(({ rule }) => rule.kind === 'latest')
    this.indexOf = new Map(this.fields.map((field, index) => [field.name, index]))
    this.#names = this.fields.map((field) => field.name)
    this.#hasFixedBytes = this.fields.map(({ rule }) => fixedBytes.has(rule.kind))
  }

  /**
   * Merges a caller's change into the states of a window, all of it or nothing. Answers by how many bytes they grow; when
   * that is more than `grownBytesMax`, nothing has been merged. Throws `InvalidArgumentError`.
   */
  mergeInto(states: unknown[], change: unknown, context: MergeContext, grownBytesMax: number): number {
    if (typeof change !== 'object' || change === null) throw this.#notAChange(change)
    const merged = this.#scratch ?? this.fields.map(() => undefined)
    this.#scratch = undefined
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
      const after = before === undefined ? prepared : rule.merge(before, prepared)
      if (before !== undefined && !rule.fits(after, context)) throw outgrown(name, after)
      if (this.#hasFixedBytes[index] !== true && after !== before)
        grownBytes += rule.bytes(after) - (before === undefined ? 0 : rule.bytes(before))
      merged[index] = after
      position += 1
    }
    if (position === 0) throw this.#noField(change)
    for (let i = 0; i < merged.length; i++) {
      if (merged[i] === undefined) continue
      if (grownBytes <= grownBytesMax) states[i] = merged[i]
      merged[i] = undefined
    }
    this.#scratch = merged
    return grownBytes
  }

  /** Whether a write of these states must carry a dedupe stamp: some changed field would count twice. */
  needsStamp(states: readonly unknown[]): boolean {
    for (let i = 0; i < this.fields.length; i++) {
      if (states[i] !== undefined && !(this.fields[i] as Field).rule.isIdempotent) return true
    }
    return false
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

/** A `PrepareContext` that is reused from change to change. */
export interface MergeContext extends PrepareContext {
  field: string
  readonly stamps: StampSource
}

const fieldsMax = 256

/** Rules whose states take the same few bytes whatever is merged. */
const fixedBytes: ReadonlySet<string> = new Set(['sum', 'max', 'min'])

function outgrown(name: string, state: unknown): InvalidArgumentError {
  const argument = `change[${JSON.stringify(name)}]`
  return new InvalidArgumentError(
    argument,
    'small enough for the total of its window to stay in range',
    state,
    'This change is not in; those before it are. Write it again later.',
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
    typeof candidate.prepare !== 'function' ||
    typeof candidate.merge !== 'function'
  ) {
    throw new InvalidArgumentError(`rules[${JSON.stringify(name)}]`, 'a merge rule such as sum() or mergeRule(…)', rule)
  }
  return { name, rule: candidate as AnyRule }
}
