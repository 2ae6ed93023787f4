import type { ShardRef } from '@spillway/core'

import { attemptsMax, BlindRetries } from './blind-retries.js'
import { noGeneration, outcomeOfPlain, PlainTable } from './plain-table.js'
import type { Strategy, StrategyClient } from './strategy.js'

/** (a) What people write today: one atomic update a line. */
export const plain: Strategy = {
  id: 'a',
  title: '(a) plain',
  description: () =>
    `what people write today: one atomic update a line, retried blindly as the AWS SDK v3 does (${attemptsMax} attempts)`,
  outcomeOf: outcomeOfPlain,
  isReadFailure: (error) => outcomeOfPlain(error) !== undefined,
  open({ backend, settings, random }) {
    const clients = Array.from({ length: settings.clients }, (_, i): StrategyClient => {
      const table = new PlainTable(backend, `plain-${i}`)
      const retries = new BlindRetries(random)
      return {
        write: (key, change) => retries.run(() => table.write(itself(key), change)),
        read: (key) => retries.run(table.reading([itself(key)])),
      }
    })
    return Promise.resolve({ clients, fanoutOf: () => undefined, close: () => Promise.resolve(undefined) })
  },
}

function itself(key: string): ShardRef {
  return { key, index: 0, generation: noGeneration }
}
