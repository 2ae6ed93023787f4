import type { LatestState } from '@spillway/core'

import { mutant, withChanges, withWrites, type Mutant } from './mutant.js'

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
  ),
]
