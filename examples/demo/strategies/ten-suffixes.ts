import { outcomeOfPlain } from './plain-outcome.js'
import type { Strategy, StrategyClient } from './strategy.js'

/** How many places every key has, hot or not. */
const suffixCount = 10

/** (b) Write sharding as AWS's guide has it: a random one of ten suffixes on every key; a read takes all ten. */
export const tenSuffixes: Strategy = {
  id: 'b',
  title: '(b) suffixes',
  description: (_settings, { tenPlacesRead }) =>
    `the same with a random one of ${suffixCount} suffixes on every key; a read takes all ${suffixCount}, ${tenPlacesRead}`,
  outcomeOf: outcomeOfPlain,
  isReadFailure: (error) => outcomeOfPlain(error) !== undefined,
  open({ store, settings, random }) {
    const clients = Array.from({ length: settings.clients }, (_, i): StrategyClient => {
      const client = store.plain(i)
      return {
        write: (key, change) => client.write({ key, index: Math.floor(random.next() * suffixCount) }, change),
        read: (key) => client.read(Array.from({ length: suffixCount }, (_unused, index) => ({ key, index }))),
      }
    })
    return Promise.resolve({ clients, fanoutOf: () => undefined, close: () => Promise.resolve(undefined) })
  },
}
