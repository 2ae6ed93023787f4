import { createClient, isSpillwayError, type Client } from '@spillway/core'

import { userRules } from '../record.js'
import type { Strategy, StrategyClient } from './strategy.js'

/** The directory of routes is fetched so often, and may be acted upon for so long: a key is spread a lease after it was announced. */
const routing = { refreshMs: 150, leaseMs: 600 }

/** (c) Spillway: one client a process of the fleet, nothing declared beforehand. */
export const spillway: Strategy = {
  id: 'c',
  title: '(c) Spillway',
  description: ({ windowMs }) =>
    `collapse.windowMs ${windowMs}, routing.refreshMs ${routing.refreshMs}, routing.leaseMs ${routing.leaseMs}; no key declared hot, all else by default`,
  outcomeOf(error) {
    if (isSpillwayError(error, 'WRITE_REJECTED') || isNothingSent(error)) return 'rejected'
    return isSpillwayError(error, 'WRITE_UNKNOWN') ? 'unknown' : undefined
  },
  isReadFailure: (error) =>
    isSpillwayError(error, 'READ_FAILED') || isSpillwayError(error, 'PARTIAL_READ') || isNothingSent(error),
  async open({ backend, settings, onSpreadWrite }) {
    const opening = Array.from({ length: settings.clients }, () =>
      createClient({ backend, collapse: { windowMs: settings.windowMs }, routing }),
    )
    const clients = await Promise.all(opening)
    for (const client of clients) {
      const off = client.on('flush', ({ key, shardIndex, outcome }) => {
        if (shardIndex > 0 && outcome === 'written' && onSpreadWrite(key)) off()
      })
    }
    return {
      clients: clients.map(asStrategyClient),
      fanoutOf: (key) => fanoutOf(clients, key),
      close: () => closeAll(clients),
    }
  },
}

function asStrategyClient(client: Client): StrategyClient {
  const users = client.records('user', userRules)
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
