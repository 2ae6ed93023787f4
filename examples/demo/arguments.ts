import { parseArgs } from 'node:util'

import { addressOf } from './address.js'
import { ArgumentError } from './argument-error.js'
import type { BackendId, Settings, StrategyId } from './settings.js'

/** What `--help` prints. */
export const usage = `Replays a log of edits through three ways to write hot keys, on a store that throttles as DynamoDB does, or on a real engine.

Usage: npm run demo -- [options]

  --backend NAME      memory, redis, redis-cluster or dynamodb   (default memory: nothing but this process)
  --address WHERE     the engine to use; else one is started     (or SPILLWAY_REDIS_URL, SPILLWAY_REDIS_CLUSTER,
                      redis://host:port; host:port,host:port     SPILLWAY_DYNAMODB_ENDPOINT)
                      for a cluster; http://host:port
  --rate X            lines a second, over all clients           (1 to 50000, default 8000; redis 4000, dynamodb 200)
  --lines FROM-TO     takes these lines of the log alone         (default all; dynamodb 4001-9000)
  --laps N            times that the log is replayed in a row    (1 to 100, default 3; redis 2; dynamodb, --data 1)
  --clients N         clients at once, each a process of a fleet (1 to 256, default 32; dynamodb 8)
  --window MS         Spillway's collapse window                 (1 to 10000, default 20)
  --strategies LIST   which of a, b, c, in that order            (default a,b,c)
  --data FILE         a log of your own: .jsonl, .ndjson, .json or .csv, also .gz
  --key FIELD         the field with the key                     (needed with --data)
  --time FIELD        the field with the time: ISO 8601 or milliseconds since 1970
  --seed N            seeds all chance                           (0 to 4294967295, default 1)
  --json FILE         also writes the results as JSON
  --help              this page

  a  plain client: one atomic update a line, retried as the engine's client does
  b  ten fixed suffixes on every key, the same retries
  c  Spillway

Ends with 0 when every total of Spillway agrees with the log, 1 when one does not, 2 for a bad argument, 130 after Ctrl-C.`

/** What engine, proxies and clients keep up with on two cores: Redis by far, all together half of what the demo's own store does; dynalite and the AWS SDK some hundred requests a second. */
const paces: Readonly<Record<BackendId, Pace>> = {
  memory: { rate: 8_000, laps: 3, lines: undefined, clients: 32 },
  redis: { rate: 4_000, laps: 2, lines: undefined, clients: 32 },
  'redis-cluster': { rate: 4_000, laps: 2, lines: undefined, clients: 32 },
  dynamodb: { rate: 200, laps: 1, lines: '4001-9000', clients: 8 },
}

interface Pace {
  readonly rate: number
  readonly laps: number
  readonly lines: string | undefined
  readonly clients: number
}

/** What the command line and, for addresses, the environment ask for. Throws `ArgumentError`. */
export function parseArguments(argv: readonly string[], env: NodeJS.ProcessEnv = process.env): Settings | 'help' {
  const given = valuesOf(argv)
  if (given.help === true) return 'help'
  const backend = backendOf(given.backend ?? 'memory')
  const pace = paces[backend]
  return {
    backend,
    address: addressOf(backend, given.address, env),
    data: dataOf(given),
    rate: numberOf('--rate', given.rate, { min: 1, max: 50_000, otherwise: pace.rate }),
    lines: linesOf(given.lines ?? (given.data === undefined ? pace.lines : undefined)),
    laps: wholeOf('--laps', given.laps, { min: 1, max: 100, otherwise: given.data === undefined ? pace.laps : 1 }),
    clients: wholeOf('--clients', given.clients, { min: 1, max: 256, otherwise: pace.clients }),
    windowMs: wholeOf('--window', given.window, { min: 1, max: 10_000, otherwise: 20 }),
    seed: wholeOf('--seed', given.seed, { min: 0, max: 4_294_967_295, otherwise: 1 }),
    strategies: strategiesOf(given.strategies ?? 'a,b,c'),
    jsonFile: given.json,
  }
}

function backendOf(given: string): BackendId {
  if (Object.hasOwn(paces, given)) return given as BackendId
  throw new ArgumentError(`--backend must be one of ${Object.keys(paces).join(', ')}, but was ${JSON.stringify(given)}`)
}

function linesOf(given: string | undefined): Settings['lines'] {
  if (given === undefined) return undefined
  const [, first = 0, last = 0] = (/^([1-9]\d{0,8})-([1-9]\d{0,8})$/.exec(given) ?? []).map(Number)
  if (first >= 1 && first <= last) return { first, last }
  throw new ArgumentError(
    `--lines must be the first and the last line, such as 1-1000, but was ${JSON.stringify(given)}`,
  )
}

function valuesOf(argv: readonly string[]) {
  const text = { type: 'string' } as const
  const options = {
    backend: text,
    address: text,
    rate: text,
    lines: text,
    laps: text,
    clients: text,
    window: text,
    strategies: text,
    data: text,
    key: text,
    time: text,
    seed: text,
    json: text,
  } as const
  try {
    return parseArgs({
      args: [...argv],
      options: { ...options, help: { type: 'boolean', short: 'h' } },
      allowPositionals: false,
    }).values
  } catch (error) {
    throw new ArgumentError(error instanceof Error ? error.message : String(error))
  }
}

function dataOf(given: { readonly data?: string; readonly key?: string; readonly time?: string }): Settings['data'] {
  if (given.data === undefined) {
    if (given.key !== undefined)
      throw new ArgumentError(`--key names a field of --data, but was given alone: ${given.key}`)
    if (given.time !== undefined)
      throw new ArgumentError(`--time names a field of --data, but was given alone: ${given.time}`)
    return undefined
  }
  if (given.key === undefined)
    throw new ArgumentError('--data needs --key FIELD, the field whose values are the keys, but none was given')
  return { file: given.data, keyField: given.key, timeField: given.time }
}

interface Bounds {
  readonly min: number
  readonly max: number
  readonly otherwise: number
}

function wholeOf(name: string, given: string | undefined, bounds: Bounds): number {
  const value = numberOf(name, given, bounds)
  if (!Number.isInteger(value)) throw outOfBounds(name, 'a whole number', bounds, given)
  return value
}

function numberOf(name: string, given: string | undefined, bounds: Bounds): number {
  if (given === undefined) return bounds.otherwise
  const value = given.trim() === '' ? NaN : Number(given)
  if (!(value >= bounds.min && value <= bounds.max)) throw outOfBounds(name, 'a number', bounds, given)
  return value
}

function outOfBounds(name: string, what: string, bounds: Bounds, given: string | undefined): ArgumentError {
  return new ArgumentError(
    `${name} must be ${what} from ${bounds.min} to ${bounds.max}, but was ${JSON.stringify(given)}`,
  )
}

function strategiesOf(given: string): readonly StrategyId[] {
  const ids = given.split(',').map((id) => id.trim())
  if (ids.every(isStrategyId) && new Set(ids).size === ids.length) return ids
  throw new ArgumentError(
    `--strategies must list a, b and c at most once each, with commas between them, but was ${JSON.stringify(given)}`,
  )
}

function isStrategyId(id: string): id is StrategyId {
  return id === 'a' || id === 'b' || id === 'c'
}
