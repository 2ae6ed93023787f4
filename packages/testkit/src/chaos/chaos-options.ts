import type { ChaosOrders } from './chaos-orders.js'

/** Patterns of hot keys, as they are stored. */
const hotPattern = /^[a-z]+:(hot|long|both)/

/** How long a snapshot of the directory may be acted upon. */
export const leaseMs = 1_000

/** How long a write may be sent again. */
export const retryHorizonMs = 20_000

/** A key may have so many shards. */
export const fanoutMax = 8

/** What a partition or a primary is planned to serve, so that a key of 40 writes a second wants a second shard. */
export const unitsPerSecond = { write: 1_000, read: 3_000 } as const

/** Options for clients under which everything that takes time happens within seconds, on a machine that is busy, too. */
export function chaosOptions(orders: ChaosOrders) {
  const declared = declaredFanout(orders)
  return {
    routing: { refreshMs: 250, leaseMs, retryHorizonMs, sealRetentionMs: 30_000 },
    collapse: { windowMs: 10 },
    detection: { hotWritesPerSecond: 10, hotReadsPerSecond: 100, coolMs: 1_000 },
    sharding: {
      fanoutMax,
      targetUtilization: 0.04,
      coolMs: 2_500,
      rules: declared === undefined ? [] : [{ match: hotPattern, fanout: declared }],
    },
    limits: { requestTimeoutMs: 1_500, writeTimeoutMs: 8_000 },
  } as const
}

/** Prefixes of the records and of the collection. */
export function chaosPrefixes({ mayShareKeys }: ChaosOrders): { readonly records: string; readonly items: string } {
  return mayShareKeys ? { records: 'k:', items: 'k:' } : { records: 'r:', items: 'c:' }
}

/** The first life of the first process, and every seventh after it, declares that hot keys have more than one shard. */
function declaredFanout({ role, name, seed }: ChaosOrders): number | undefined {
  if (role === 'worker' && (name === '0.1' || seed % 7 === 0)) return seed % 2 === 0 ? 2 : 4
  return undefined
}
