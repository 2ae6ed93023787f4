import type { FieldChange, LatestState } from '@spillway/core'

import { mutant, withChanges, withWrites, type Mutant } from './mutant.js'

function isNumber({ rule }: FieldChange): boolean {
  return rule.kind === 'max' || rule.kind === 'min'
}

export const limitMutants: readonly Mutant[] = [
  mutant(
    'limits-change',
    'a text is cut at 65,535 characters',
    withChanges((change) => {
      if (change.rule.kind !== 'latest') return change
      const state = change.state as LatestState
      const value: unknown = JSON.parse(state.json)
      if (typeof value !== 'string') return change
      return { ...change, state: { ...state, json: JSON.stringify(value.slice(0, 65_535)) } }
    }),
  ),
  mutant(
    'limits-fields',
    'of a change only the first 50 fields are taken',
    withWrites((write) => ({ ...write, changes: write.changes.slice(0, 50) })),
    ['limits-conditional'],
  ),
  mutant(
    'limits-conditional',
    'of a change only the first 40 numbers are taken',
    withWrites((write) => {
      const numbers = new Set(write.changes.filter(isNumber).slice(0, 40))
      return { ...write, changes: write.changes.filter((change) => !isNumber(change) || numbers.has(change)) }
    }),
  ),
]
