import { createClient, isSpillwayError, type Client } from '@spillway/core'

import { userRules } from '../record.js'
import type { Strategy, StrategyClient } from './strategy.js'

/** (c) Spillway: one client a process of the fleet, nothing declared beforehand. */
export const spillway: Strategy = {
  id: 'c',
  title: '(c) Spillway',
  description: ({ windowMs }, { options: { routing, limits } }) =>
    `collapse.windowMs ${windowMs}${optionsOf('routing', routing)}${optionsOf('limits', limits ?? {})}; no key declared hot, all else by default`,
  outcomeOf(error) {
    if (isSpillwayError(error, 'WRITE_REJECTED') || isNothingSent(error)) return 'rejected'
    return isSpillwayError(error, 'WRITE_UNKNOWN') ? 'unknown' : undefined
  },
  isReadFailure: (error) =>
    isSpillwayError(error, 'READ_FAILED') || isSpillwayError(error, 'PARTIAL_READ') || isNothingSent(error),
  async open({ store, settings, onSpreadWrite }) {
    const { prefix } = store
    const clients: Client[] = []
    // One after another, as the processes of a fleet are started.
    for (let i = 0; i < settings.clients; i++)
      clients.push(
        await createClient({
          backend: store.backend(i),
          ...store.options,
          collapse: { windowMs: settings.windowMs },
        }),
      )
    for (const client of clients) {
      const off = client.on('flush', ({ key, shardIndex, outcome }) => {
        if (shardIndex > 0 && outcome === 'written' && onSpreadWrite(key.slice(prefix.length))) off()
      })
    }
    return {
      clients: clients.map((client) => asStrategyClient(client, prefix)),
      fanoutOf: (key) => fanoutOf(clients, prefix + key),
      close: () => closeAll(clients),
    }
  },
}

function optionsOf(stage: string, options: object): string {
  return Object.entries(options)
    .map(([name, value]) => `, ${stage}.${name} ${String(value)}`)
    .join('')
}

function asStrategyClient(client: Client, prefix: string): StrategyClient {
  const users = client.records('user', userRules, { prefix })
  return { write: (key, change) => users.write(key, change), read: (key) => users.read(key) }
}

/** As the client has it that is ahead: routes reach the others a refresh later. */
function fanoutOf(clients: readonly Client[], key: string): number {
  const known = clients.flatMap((client) => client.hotKeys()).filter((hot) => hot.key === key)
  return Math.max(1, ...known.map(({ fanout }) => fanout))
}

async function closeAll(clients: readonly Client[]): Promise<string | undefined> {
  const reports = await Promise.all(clients.map((client) => client.close()))
  const failures = reports.flatMap((report) => report.failures)
  if (failures.length === 0) return undefined
  return failures.map(({ key, changeCount }) => `${changeCount} changes to ${key}`).join(', ')
}

function isNothingSent(error: unknown): boolean {
  return isSpillwayError(error, 'LIMIT_REACHED') || isSpillwayError(error, 'ROUTE_UNAVAILABLE')
}
