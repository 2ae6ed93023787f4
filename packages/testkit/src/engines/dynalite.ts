// Problem: tests need a DynamoDB that starts in a blink, on any machine, beside other runs.
// Scheme: dynalite in this process, in memory or in a folder, on a free port of the loopback; or whatever SPILLWAY_DYNAMODB_ENDPOINT
//   names, and then nothing is started.
// Invariants: nothing outlives `close`; a client that hangs up does not take the process down.
// Cost: about 0.2 s and 60 MB.
// Source: dynalite's index.js, which throws what a request emits as an error.

import type { IncomingMessage, Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'

import { namedEndpoint } from './dynamo-access.js'

/** A DynamoDB that answers on `endpoint`. */
export interface DynamoEngine {
  /** Where it listens, such as `http://127.0.0.1:41234`. */
  readonly endpoint: string
  /** Takes down what was started; what was only named by the environment is left alone. May be called twice. */
  close(): Promise<void>
}

type Action = (store: unknown, data: { Key?: object }, done: unknown) => void
type Dynalite = (options: {
  createTableMs: number
  deleteTableMs: number
  updateTableMs: number
  path: string | undefined
}) => Server

/** How {@link startDynalite} sets the engine up. */
export interface DynaliteOptions {
  /** A folder of its own, in which it has its data again when it is started there once more. @default it keeps it in memory */
  readonly path?: string
  /** Where it listens. @default a free port */
  readonly port?: number
}

/** Starts dynalite, unless the environment variable SPILLWAY_DYNAMODB_ENDPOINT names an engine that is there already. */
export async function startDynalite({ path, port: asked = 0 }: DynaliteOptions = {}): Promise<DynamoEngine> {
  const named = namedEndpoint()
  if (named !== undefined) return { endpoint: named, close: () => Promise.resolve() }
  const server = loaded()({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0, path })
  server.prependListener('request', forgiveHangUps)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(asked, '127.0.0.1', () => resolve())
  })
  const { port } = server.address() as AddressInfo
  let closed: Promise<void> | undefined
  return {
    endpoint: `http://127.0.0.1:${port}`,
    close: () => (closed ??= stopped(server)),
  }
}

/** dynalite, with two faults taken out. */
function loaded(): Dynalite {
  const require = createRequire(import.meta.url)
  const path = require.resolve('dynalite/actions/updateItem')
  const updateItem = require(path) as Action & { isPatched?: true }
  if (updateItem.isPatched !== true) {
    const module = require.cache[path]
    if (module !== undefined) module.exports = withoutInheritance(updateItem)
    const db = require('dynalite/db') as { compare: Compare }
    db.compare = byBytes(db.compare)
  }
  return require('dynalite') as Dynalite
}

/** To it, a new item has an attribute `constructor`, since every object has one. */
function withoutInheritance(updateItem: Action): Action {
  const patched: Action & { isPatched?: true } = (store, data, done) => {
    if (data.Key !== undefined) data.Key = Object.assign(Object.create(null) as object, data.Key)
    updateItem(store, data, done)
  }
  patched.isPatched = true
  return patched
}

type Compare = (sign: string, value: unknown, others: unknown) => boolean

const signs = new Set(['LE', '<=', 'LT', '<', 'GE', '>=', 'GT', '>', 'BETWEEN', 'between'])

/** It keeps strings in the order of their UTF-8, but compares them as JavaScript does. Bytes it compares well. */
function byBytes(compare: Compare): Compare {
  const bytesOf = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(bytesOf)
    const { S: text } = (value ?? {}) as { readonly S?: unknown }
    return typeof text === 'string' ? { B: Buffer.from(text).toString('base64') } : value
  }
  return (sign, value, others) =>
    signs.has(sign) ? compare(sign, bytesOf(value), bytesOf(others)) : compare(sign, value, others)
}

/** A request that is cut off emits an error, which dynalite would throw out of the process. */
function forgiveHangUps(request: IncomingMessage): void {
  const on = request.on.bind(request) as (event: string, listener: () => void) => IncomingMessage
  const kept = (event: string, listener: () => void) => on(event, event === 'error' ? () => undefined : listener)
  request.on = kept as typeof request.on
}

function stopped(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve()) // what goes wrong in the closing of a store in memory is nobody's loss
    server.closeAllConnections()
  })
}
