import { InvalidArgumentError, reservedMark } from '@spillway/core'

import type { RedisPort } from './client-port.js'
import type { IoredisClient } from './from-ioredis.js'

/** What {@link redis} takes. Only `client` is needed. */
export interface RedisOptions {
  /** An ioredis client (`Redis`, by Sentinel too, or `Cluster`), or a port such as `fromNodeRedis(client)`. It is never closed. */
  readonly client: IoredisClient | RedisPort
  /** Names the backend in events and messages. @default 'redis' */
  readonly name?: string
  /** Names the directory, for applications that share a Redis and no keys. Lower-case letters, digits and `-`, 1 to 64. @default 'directory' */
  readonly directory?: string
  /** A key that holds a counter as a plain string is adopted as this field: read as it is, and turned into a hash by the first write. @default none is adopted */
  readonly adoptStringAs?: string
  /** How many replicas must have a write before it counts as done; fewer in time make it «unknown». Holds up the connection. 0 to 16. @default 0 */
  readonly writeReplicas?: number
  /** How long a directory change, and with `writeReplicas` a write, waits for replicas. 1 to 60,000 milliseconds. @default 500 */
  readonly replicaWaitMs?: number
  /** What one primary is planned to write a second for one key. @default 20_000 */
  readonly writeUnitsPerSecond?: number
  /** What one primary is planned to read a second for one key. @default 60_000 */
  readonly readUnitsPerSecond?: number
}

/** Options with every default in place. */
export interface ResolvedRedisOptions {
  readonly name: string
  readonly directoryKey: string
  /** Empty when no string is adopted. */
  readonly adoptStringAs: string
  readonly writeReplicas: number
  readonly replicaWaitMs: number
  readonly writeUnitsPerSecond: number
  readonly readUnitsPerSecond: number
  readonly shardsPerReadMax: number
}

const known = new Set(
  ['client', 'name', 'directory', 'adoptStringAs', 'writeReplicas', 'replicaWaitMs'].concat([
    'writeUnitsPerSecond',
    'readUnitsPerSecond',
  ]),
)

/** Checks options and fills in defaults. Throws `InvalidArgumentError`. */
export function resolveOptions(options: RedisOptions): ResolvedRedisOptions {
  if (typeof options !== 'object' || (options as unknown) === null)
    throw new InvalidArgumentError('redis(options)', 'an object with client', options)
  for (const option of Object.keys(options))
    if (!known.has(option)) throw new InvalidArgumentError('redis(options)', `made of ${[...known].join(', ')}`, option)
  const { name = 'redis', directory = 'directory', adoptStringAs = '' } = options
  if (typeof name !== 'string' || name === '') throw new InvalidArgumentError('redis({ name })', 'a name', name)
  if (typeof directory !== 'string' || !/^[a-z0-9-]{1,64}$/.test(directory))
    throw new InvalidArgumentError('redis({ directory })', '1 to 64 lower-case letters, digits and hyphens', directory)
  if (typeof adoptStringAs !== 'string' || adoptStringAs.startsWith(reservedMark))
    throw new InvalidArgumentError('redis({ adoptStringAs })', 'the name of a field', adoptStringAs)
  return Object.freeze({
    name,
    directoryKey: `${reservedMark}${directory}`,
    adoptStringAs,
    writeReplicas: whole('writeReplicas', options.writeReplicas ?? 0, 0, 16),
    replicaWaitMs: whole('replicaWaitMs', options.replicaWaitMs ?? 500, 1, 60_000),
    // A script with dedupe passes 30,000 a second on one core; the rest is for other keys.
    writeUnitsPerSecond: whole('writeUnitsPerSecond', options.writeUnitsPerSecond ?? 20_000, 1, 1e9),
    readUnitsPerSecond: whole('readUnitsPerSecond', options.readUnitsPerSecond ?? 60_000, 1, 1e9),
    shardsPerReadMax: 1_024, // as many as a key may have: a gather is one request, a round trip a primary
  })
}

function whole(option: string, value: number, least: number, most: number): number {
  if (!Number.isSafeInteger(value) || value < least || value > most)
    throw new InvalidArgumentError(`redis({ ${option} })`, `a whole number from ${least} to ${most}`, value)
  return value
}
