// Problem: one store for a single Redis, one behind Sentinel and a cluster, whatever client the application has.
// Scheme: a port to the client, a directory, records and collections on it. Opening loads the scripts and refuses a Redis that may throw
//   away what it holds.
// Invariants: the client is the application's: it is neither connected nor closed here.
// Cost: a few requests when opened.
// Source: backend.ts of the core.

import { BackendError, type Backend, InvalidArgumentError, reservedMark } from '@spillway/core'

import type { RedisPort } from './client-port.js'
import { readFailure } from './error-table.js'
import { fromIoredis, type IoredisClient } from './from-ioredis.js'
import { type RedisOptions, resolveOptions } from './options.js'
import { RedisCollections } from './redis-collections.js'
import { RedisDirectory } from './redis-directory.js'
import { RedisRecords } from './redis-records.js'
import { applyScript } from './scripts/apply.js'
import { changeItemScript } from './scripts/change-item.js'
import { clearScript } from './scripts/clear.js'
import { findItemScript } from './scripts/find-item.js'
import { pageItemsScript } from './scripts/page-items.js'
import { sealScript } from './scripts/seal.js'
import { stampScript } from './scripts/stamp.js'
import { swapScript } from './scripts/swap.js'
import { touchScript } from './scripts/touch.js'

/** The greatest integer that Redis stores and adds exactly: 64 bits with a sign. */
const integerMax = 2n ** 63n - 1n

/**
 * A backend on Redis 6.2 or later, single, behind Sentinel or a cluster. Throws `InvalidArgumentError` for options, of its own
 * or of the client, under which the promises cannot be kept. Opening rejects when a primary may evict keys without an expiry.
 */
export function redis(options: RedisOptions): Backend {
  const resolved = resolveOptions(options)
  const port = portOf(options.client)
  return {
    name: resolved.name,
    capabilities: Object.freeze({
      keyBytesMax: 8_192, // Redis takes 512 MB; a key is sent with every request and hashed for every shard
      changeBytesMax: 1_048_576, // Redis takes 512 MB a field; a script holds up all other clients while it runs
      shardsPerReadMax: resolved.shardsPerReadMax,
      integerMax,
      reservedMark,
      partition: Object.freeze({
        writeUnitsPerSecond: resolved.writeUnitsPerSecond,
        readUnitsPerSecond: resolved.readUnitsPerSecond,
      }),
    }),
    directory: new RedisDirectory(port, resolved),
    records: new RedisRecords(port, resolved),
    collections: new RedisCollections(port, resolved),
    open: () => open(port),
  }
}

const portMethods = ['send', 'sendInOrder', 'sendToPrimaries', 'resendCount'] as const

function portOf(client: IoredisClient | RedisPort): RedisPort {
  const given = (client ?? {}) as Partial<IoredisClient & RedisPort>
  if (typeof given.call === 'function' && typeof given.pipeline === 'function')
    return fromIoredis(client as IoredisClient)
  if (portMethods.every((method) => typeof given[method] === 'function')) return client as RedisPort
  throw new InvalidArgumentError(
    'redis({ client })',
    `an ioredis client, or a port with ${portMethods.join(', ')}`,
    client,
    'For node-redis: redis({ client: fromNodeRedis(client) }).',
  )
}

async function open(port: RedisPort): Promise<void> {
  try {
    await refuseEviction(port)
    // Where SCRIPT is not allowed, the whole text goes with every run.
    const forRecords = [applyScript, clearScript, sealScript, stampScript, swapScript, touchScript]
    const scripts = [...forRecords, changeItemScript, findItemScript, pageItemsScript]
    await Promise.all(scripts.map((script) => script.load(port).catch(ignoreRefusal)))
  } catch (error) {
    throw readFailure(error)
  }
}

async function refuseEviction(port: RedisPort): Promise<void> {
  const answers = await port.sendToPrimaries(['config', 'get', 'maxmemory-policy']).catch(ignoreRefusal)
  for (const answer of answers ?? []) {
    const policy = policyIn(answer)
    if (policy.startsWith('allkeys-'))
      throw new BackendError(
        'invalid',
        `Redis may evict any key (maxmemory-policy ${policy}): acknowledged writes and routes would be lost. Set it to noeviction or to a volatile- policy.`,
      )
  }
}

/** RESP2 answers with an array, RESP3 with a map. */
function policyIn(answer: unknown): string {
  const policy: unknown =
    answer instanceof Map
      ? answer.get('maxmemory-policy')
      : Array.isArray(answer)
        ? answer[1]
        : (answer as Record<string, unknown> | null)?.['maxmemory-policy']
  return typeof policy === 'string' ? policy : ''
}

/** Hosted Redis forbids some commands; that is no failure. */
function ignoreRefusal(error: unknown): undefined {
  if (error instanceof Error && /^(NOPERM|ERR unknown (sub)?command)/i.test(error.message)) return undefined
  throw error
}
