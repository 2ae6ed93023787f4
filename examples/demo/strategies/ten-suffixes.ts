import type { ShardRef } from '@spillway/core'

import { attemptsMax, BlindRetries } from './blind-retries.js'
import { noGeneration, outcomeOfPlain, PlainTable } from './plain-table.js'
import type { Strategy, StrategyClient } from './strategy.js'

/** How many places every key has, hot or not. */
const suffixCount = 10

/** (b) Write sharding as AWS's guide has it: a random one of ten suffixes on every key; a read takes all ten in one batch. */
export const tenSuffixes: Strategy = {
  id: 'b',
  title: '(b) suffixes',
  description: () =>
    `a random one of ${suffixCount} suffixes on every key, the same ${attemptsMax} attempts; a read takes all ${suffixCount} in one batch`,
  outcomeOf: outcomeOfPlain,
  isReadFailure: (error) => outcomeOfPlain(error) !== undefined,
  open({ backend, settings, random }) {
    const clients = Array.from({ length: settings.clients }, (_, i): StrategyClient => {
      const table = new PlainTable(backend, `suffix-${i}`)
      const retries = new BlindRetries(random)
      return {
        write(key, change) {
          const shard = suffixed(key, Math.floor(random.next() * suffixCount))
          return retries.run(() => table.write(shard, change))
        },
        read: (key) =>
          retries.run(table.reading(Array.from({ length: suffixCount }, (_unused, index) => suffixed(key, index)))),
      }
    })
    return Promise.resolve({ clients, fanoutOf: () => undefined, close: () => Promise.resolve(undefined) })
  },
}

function suffixed(key: string, index: number): ShardRef {
  return { key, index, generation: noGeneration }
}
