import { type Backend, type ClientOptions, createClient, type RecordOptions, sum } from '@spillway/core'

import type { Peer } from './load.js'

/** The record that is written and read: one number under a key. */
export const counterRules = { n: sum() }

const opened: { close(): Promise<unknown> }[] = []

/** Counts through a client of its own, which is open until `closeCounters`. */
export async function counterOn(
  backend: Backend,
  options: Omit<ClientOptions, 'backend'> = {},
  recordOptions: RecordOptions = {},
) {
  // A machine that others keep busy is waited for: a request sent again without dedupe could count twice.
  const client = await createClient({ backend, limits: { requestTimeoutMs: 10_000 }, ...options })
  opened.push(client)
  return client.records('counter', counterRules, recordOptions)
}

/** Closes all clients that count; then their engines may go. */
export async function closeCounters(): Promise<void> {
  await Promise.all(opened.map((client) => client.close()))
}

/**
 * A flush may follow another at once, so that a window is as long as a round trip: where a store can serve that many writes,
 * there is nothing to wait for. Nor is the key spread, so that its own item holds the total that is checked.
 */
export const withoutRest: Omit<ClientOptions, 'backend'> = { collapse: { windowMs: 0 }, sharding: { fanoutMax: 1 } }

/** Where counters stand, and how they are counted. */
export interface Counted {
  /** How many writes the peer's requests have made so far. */
  readonly requestCount: () => Promise<number>
  /** What stands under keys, all added up. */
  readonly totalOf: (keys: readonly string[]) => Promise<number>
}

/** A peer whose operation counts one: its keys must hold as many as were acknowledged. */
export function countingPeer(
  { requestCount, totalOf }: Counted,
  name: string,
  keys: readonly string[],
  operate: () => Promise<unknown>,
): Peer {
  return {
    name,
    operate,
    requestCount,
    check: async (operationCount) => {
      const total = await totalOf(keys)
      if (total !== operationCount) throw new Error(`${name}: ${operationCount} were acknowledged, ${total} are stored`)
    },
  }
}
