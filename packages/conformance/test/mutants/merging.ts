import type { LatestState } from '@spillway/core'

import { mutant, withChanges, withMerge, type Mutant } from './mutant.js'

export const mergingMutants: readonly Mutant[] = [
  mutant(
    'merge-sum',
    'a sum never goes down',
    withMerge('sum(integer)', (a: number, b: number) => (b < 0 ? a : a + b)),
  ),
  mutant(
    'merge-sum-exact',
    'sums are added as doubles',
    withMerge('sum(bigint)', (a: bigint, b: bigint) => BigInt(Number(a) + Number(b))),
  ),
  mutant(
    'merge-sum-float',
    'floats lose their fraction',
    withMerge('sum(float)', (a: number, b: number) => Math.trunc(a + b)),
  ),
  mutant(
    'merge-max',
    'a max goes by size without sign',
    withMerge('max', (a: number, b: number) => (Math.abs(b) > Math.abs(a) ? b : a)),
    ['merge-magnitudes'],
  ),
  mutant(
    'merge-min',
    'a min goes by size without sign',
    withMerge('min', (a: number, b: number) => (Math.abs(b) < Math.abs(a) ? b : a)),
    ['merge-magnitudes'],
  ),
  mutant(
    'merge-magnitudes',
    'numbers are kept with 32 bits',
    withChanges((change) => {
      if (typeof change.state !== 'number' || change.rule.id === 'sum(integer)') return change
      return { ...change, state: Math.fround(change.state) }
    }),
  ),
  mutant(
    'merge-latest',
    'of two values of one millisecond the one that comes last stays',
    withMerge('latest', (a: LatestState, b: LatestState) => (a.stamp.timeMs > b.stamp.timeMs ? a : b)),
  ),
  mutant(
    'merge-latest-json',
    'text ends at its first null character',
    withChanges((change) => {
      if (change.rule.kind !== 'latest') return change
      const state = change.state as LatestState
      return { ...change, state: { ...state, json: state.json.replaceAll('\\u0000', '') } }
    }),
  ),
  mutant(
    'merge-union',
    'strings of a set are trimmed',
    withChanges((change) => {
      if (change.rule.kind !== 'union') return change
      return { ...change, state: new Set([...(change.state as ReadonlySet<string>)].map((element) => element.trim())) }
    }),
  ),
  mutant(
    'merge-custom',
    "a user's own state is replaced unless it is a number",
    withMerge('custom', (a: unknown, b: unknown, rule) => (typeof b === 'number' ? rule.merge(a, b) : b)),
  ),
]
