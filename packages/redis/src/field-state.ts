// Problem: a shard is a hash that may have been there before, with fields of any name, and text that other programs wrote.
// Scheme: a field of the record is the field of the hash with the same name; numbers are plain numbers, other states are what
//   their rule encodes. Only a name that begins with the mark is escaped, since those fields are Spillway's.
// Invariants: what `stateOf` gives back merges and reads as what was written; text of another form is an error, never a miss;
//   what is read can be added to, so a whole number is one that HINCRBY takes.
// Cost: one look-up of the rule's kind a field.
// Source: merge-rule.ts of the core.

import {
  BackendError,
  type AbsorbedShard,
  type Field,
  type FieldChange,
  reservedMark,
  type RouteStamp,
} from '@spillway/core'

/** The field in which a shard keeps what it has absorbed. */
export const absorbedField = `${reservedMark}absorbed`

/** The field in which a shard keeps its route. */
export const routeField = `${reservedMark}route`

/** The field in which a shard keeps the last number of a writer. */
export function writerField(writer: string): string {
  return `${reservedMark}w:${writer}`
}

/** The letter by which the script knows how to merge a field. */
export type Operation = 'i' | 'f' | 'x' | 'n' | 'l' | 'u' | 'c'

/** The field of the hash. */
export function hashFieldOf(name: string): string {
  return name.startsWith(reservedMark) ? `${reservedMark}=${name}` : name
}

/** The inverse of {@link hashFieldOf}. */
export function nameOf(hashField: string): string {
  const mark = `${reservedMark}=`
  return hashField.startsWith(mark) ? hashField.slice(mark.length) : hashField
}

/** How the script merges a field. */
export function operationOf({ rule }: Field): Operation {
  switch (rule.kind) {
    case 'sum':
      return rule.id === 'sum(float)' ? 'f' : 'i'
    case 'max':
      return 'x'
    case 'min':
      return 'n'
    case 'latest':
      return 'l'
    case 'union':
      return 'u'
    case 'custom':
      return 'c'
    default:
      return rule.kind satisfies never
  }
}

/** A change as the script takes it. Throws `BackendError` when a rule of the user's own throws. */
export function encoded({ rule, state }: FieldChange): string {
  try {
    return rule.encode(state)
  } catch (error) {
    throw new BackendError('invalid', `A rule's encode threw: ${String(error)}`, { cause: error })
  }
}

const wholeNumber = /^(?:0|-?[1-9]\d*)$/
/** Safe for sure, and so the same number as what the rule decodes by way of a bigint. */
const smallNumber = /^(?:0|-?[1-9]\d{0,14})$/

/** A state from what the hash holds. Throws `BackendError` for text that is no state of the field's rule. */
export function stateOf(field: Field, text: unknown): unknown {
  if (text === null || text === undefined || text === false) return undefined
  const operation = operationOf(field)
  if (operation === 'i' && typeof text === 'string' && smallNumber.test(text)) return Number(text)
  try {
    if (typeof text === 'string' && isOfForm(operation, text)) {
      const state = field.rule.decode(text)
      if (operation !== 'l' || isLatest(state)) return state
    }
  } catch (error) {
    throw notOfRule(field, error)
  }
  throw notOfRule(field, undefined)
}

function isOfForm(operation: Operation, text: string): boolean {
  if (operation === 'i') return wholeNumber.test(text)
  if (operation === 'f' || operation === 'x' || operation === 'n')
    return text.trim() !== '' && Number.isFinite(Number(text))
  if (operation === 'l' || operation === 'u') return text.startsWith('[') || text === '{}'
  return true
}

function isLatest(state: unknown): boolean {
  const { json, stamp } = state as { json: unknown; stamp: { timeMs: unknown; order: unknown; writer: unknown } }
  const isStamp =
    typeof stamp.timeMs === 'number' && typeof stamp.order === 'number' && typeof stamp.writer === 'string'
  return isStamp && typeof json === 'string'
}

function notOfRule({ name, rule }: Field, cause: unknown): BackendError {
  return new BackendError(
    'invalid',
    `Field ${JSON.stringify(name)} holds something that is no state of its rule, ${rule.id}.`,
    { cause },
  )
}

/** Which shards' contents a shard has taken in, from `index:generation,…`. */
export function absorbedOf(text: unknown): readonly AbsorbedShard[] | undefined {
  if (typeof text !== 'string' || text === '') return undefined
  return text.split(',').map((entry) => {
    const [index, generation] = entry.split(':')
    return { index: Number(index), generation: Number(generation) }
  })
}

/** The inverse of {@link absorbedOf}. */
export function absorbedText(absorbed: readonly AbsorbedShard[] | undefined): string {
  return (absorbed ?? []).map(({ index, generation }) => `${index}:${generation}`).join(',')
}

/** A stamp, from `revision:text`. */
export function routeOf(text: unknown): RouteStamp | undefined {
  if (typeof text !== 'string') return undefined
  const colon = text.indexOf(':')
  return { revision: Number(text.slice(0, colon)), text: text.slice(colon + 1) }
}
