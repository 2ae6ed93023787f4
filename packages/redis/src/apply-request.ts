// Problem: the script takes a list of texts, and names a field by its place in it.
// Scheme: whole-number sums first, two arguments each, since nearly all writes consist of one; all other fields behind them.
// Invariants: the n-th field of an error is the n-th of `changes`.
// Cost: one array; the order of fields changes only where sums stand behind others.
// Source: scripts/apply.ts.

import { BackendError, type Absorb, type Field, type FieldChange, type WriteStamp } from '@spillway/core'

import { absorbedText, encoded, hashFieldOf, operationOf, writerField } from './field-state.js'

/** So many fields one request takes: Lua passes no more than some thousand values at once. */
const fieldsMax = 1_000

/** A text that replaces what a field of a user's own rule was going to be, and the digest of what it was merged with. */
export type Merged = ReadonlyMap<FieldChange, readonly [text: string, digest: string]>

/** More than some thousand years is no expiry that Redis takes. */
const stayMsMax = 1e14

/** A write. `isConfirmed`: a WAIT follows. Throws `BackendError` of kind `invalid` for fields that cannot be written. */
export function writeArgs(
  stamp: WriteStamp | undefined,
  isConfirmed: boolean,
  adopted: string,
  changes: readonly FieldChange[],
  expiresInMs: number | undefined,
  merged?: Merged,
): string[] {
  const args = stamp === undefined ? ['', '', ''] : stampArgs(stamp)
  const [first] = changes as [FieldChange]
  if (!isConfirmed && adopted === '' && expiresInMs === undefined && changes.length === 1 && isWholeSum(first)) {
    args.push(hashFieldOf(first.name), encoded(first))
    return args
  }
  const stayMs = expiresInMs === undefined ? '' : String(Math.min(Math.max(1, Math.ceil(expiresInMs)), stayMsMax))
  return addFields(args, [isConfirmed ? 'confirm' : 'write', adopted, '', stayMs], changes, merged)
}

/** Of the last stamp: a writer stays the same, and so does its horizon for a millisecond; numbers cost more than all other texts. */
const last = { writer: '', field: writerField(''), forgetUpTo: -1, horizon: '-1' }

function stampArgs({ writer, sequence, forgetUpTo }: WriteStamp): string[] {
  if (writer !== last.writer) {
    last.writer = writer
    last.field = writerField(writer)
  }
  if (forgetUpTo !== last.forgetUpTo) {
    last.forgetUpTo = forgetUpTo
    last.horizon = String(forgetUpTo)
  }
  return [last.field, String(sequence), last.horizon]
}

/** An absorption. Throws like {@link writeArgs}. */
export function absorbArgs(
  { source, contents }: Absorb,
  adopted: string,
  changes: readonly FieldChange[],
  merged?: Merged,
): string[] {
  const record = `${source.index}:${source.generation.number}`
  return addFields(['', record, absorbedText(contents.absorbed)], ['absorb', adopted, '', ''], changes, merged)
}

/** Sums first. Throws like {@link checkCount}. */
export function inScriptOrder(changes: readonly FieldChange[]): readonly FieldChange[] {
  checkCount(changes)
  if (changes.length <= 1) return changes
  return [...changes.filter(isWholeSum), ...changes.filter((change) => !isWholeSum(change))]
}

/** Throws `BackendError` of kind `invalid` for more fields than a script can be given. */
export function checkCount(fields: readonly Field[]): void {
  if (fields.length > fieldsMax)
    throw new BackendError('invalid', `A request takes at most ${fieldsMax} fields, but came with ${fields.length}.`)
}

/** Whether a field is merged by HINCRBY. */
export function isWholeSum(change: FieldChange): boolean {
  return operationOf(change) === 'i'
}

/** What stands before the fields: the mode, the field of adopted strings, the number of sums, to be filled in, and the stay. */
type Head = readonly [mode: 'write' | 'confirm' | 'absorb', adopted: string, sumCount: '', stayMs: string]

function addFields(args: string[], head: Head, changes: readonly FieldChange[], merged: Merged | undefined): string[] {
  const at = args.push(...head)
  let sumCount = 0
  for (const change of changes) {
    const operation = operationOf(change)
    if (operation === 'i') {
      sumCount += 1
      args.push(hashFieldOf(change.name), encoded(change))
    } else {
      const [text, digest] = merged?.get(change) ?? [encoded(change), '']
      args.push(operation, hashFieldOf(change.name), text, digest)
    }
  }
  args[at - 2] = String(sumCount)
  return args
}
