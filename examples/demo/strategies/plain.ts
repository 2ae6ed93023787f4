import { outcomeOfPlain } from './plain-outcome.js'
import type { Strategy, StrategyClient } from './strategy.js'

/** (a) What people write today: one atomic update a line. */
export const plain: Strategy = {
  id: 'a',
  title: '(a) plain',
  description: (_settings, { plainWrite }) => `what people write today: ${plainWrite}`,
  outcomeOf: outcomeOfPlain,
  isReadFailure: (error) => outcomeOfPlain(error) !== undefined,
  open({ store, settings }) {
    const clients = Array.from({ length: settings.clients }, (_, i): StrategyClient => {
      const client = store.plain(i)
      return {
        write: (key, change) => client.write({ key, index: 0 }, change),
        read: (key) => client.read([{ key, index: 0 }]),
      }
    })
    return Promise.resolve({ clients, fanoutOf: () => undefined, close: () => Promise.resolve(undefined) })
  },
}
