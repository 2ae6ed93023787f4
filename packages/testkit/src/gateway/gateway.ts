// Problem: no engine that runs at home throttles, leaves keys of a batch unprocessed, sends the item along with a failed
//   condition, expires items or loses an answer; an adapter that has not met these has not been tested.
// Scheme: an HTTP server in front of an engine, spoken to by the real SDK. It answers itself where the service would refuse, and
//   passes on the rest; faults are drawn from a seed.
// Invariants: what is refused has no effect; what loses its answer had one; `Item` is what the condition saw, since writes of
//   one key take turns here; the same seed and order of requests draw the same faults.
// Cost: one more hop on the loopback and one more parse.
// Source: answers.ts, partitions.ts, expiry.ts, with AWS's pages. These are AWS's words, not its code: what rests on them has been
//   shown here and not on the service.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import { seededDraws } from '../chance/seeded-draws.js'
import { namedAccess } from '../engines/dynamo-access.js'
import { elapsedMs } from '../time/elapsed.js'
import { pause } from '../time/wait.js'
import { invalid, serverError, throttled, type Answer } from './answers.js'
import { EngineClient, signatureOf, textOf, type Signature } from './engine-client.js'
import { expire } from './expiry.js'
import { fateOf, type Fate, type GatewayFaults } from './faults.js'
import { Operations } from './operations.js'
import { Partitions, type PartitionOptions } from './partitions.js'

/** How {@link startGateway} sets a gateway up. */
export interface GatewayOptions {
  /** Where the engine answers, such as `http://127.0.0.1:8000`. */
  readonly endpoint: string
  /** Every fault is drawn from it. @default 1 */
  readonly seed?: number
  /** The faults at first. @default none */
  readonly faults?: GatewayFaults
  /** Cuts tables into partitions that throttle. @default none: nothing throttles */
  readonly partitions?: PartitionOptions
  /** How throttles are named: by a table with a rate of its own, or by one paid by the request. @default 'provisioned' */
  readonly mode?: 'provisioned' | 'onDemand'
  /** Whether a failed condition sends the item along for those who ask for it. @default true */
  readonly sendsItem?: boolean
  /** Elapsed milliseconds; capacity flows in on it. @default the machine's */
  readonly nowMs?: () => number
}

/** Starts a gateway on a free port of the loopback. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve())
  })
  return new Gateway(server, options)
}

/** A running gateway. */
export class Gateway {
  /** Where it listens. */
  readonly endpoint: string
  /** What goes wrong from now on; change it at any time. */
  faults: GatewayFaults
  /** What happens to the next requests, one each, before anything is drawn. */
  readonly plan: Partial<Fate>[] = []
  /** Requests that came in, by operation; those sent again count again. */
  readonly requests = new Map<string, number>()
  /** How many answers were lost after the request was carried out. */
  lostAnswerCount = 0
  /** How many requests, or keys of a batch, were refused for lack of capacity. */
  throttledCount = 0
  readonly #server: Server
  readonly #engine: EngineClient
  readonly #operations: Operations
  readonly #draw: () => number
  readonly #mode: 'provisioned' | 'onDemand'
  readonly #ttl = new Map<string, string>()
  #signature = signatureOf({})
  #closed: Promise<void> | undefined

  /** Use {@link startGateway}. */
  constructor(server: Server, options: GatewayOptions) {
    const { port } = server.address() as AddressInfo
    const nowMs = options.nowMs ?? elapsedMs
    this.endpoint = `http://127.0.0.1:${port}`
    this.faults = options.faults ?? {}
    this.#server = server
    this.#engine = new EngineClient(options.endpoint, namedAccess())
    this.#draw = seededDraws(options.seed ?? 1)
    this.#mode = options.mode ?? 'provisioned'
    this.#operations = new Operations({
      engine: this.#engine,
      partitions: options.partitions && new Partitions(options.partitions, nowMs()),
      sendsItem: options.sendsItem ?? true,
      nowMs,
      isLeftOut: () => this.#draw() < (this.faults.leaveOut ?? 0),
      isPageEmpty: () => this.#draw() < (this.faults.emptyPage ?? 0),
      throttle: (table, direction) => this.#throttle(table, `Table${direction}KeyRangeThroughputExceeded`),
      onThrottled: (count) => {
        this.throttledCount += count
      },
    })
    server.on('request', (request, response) => {
      this.#serve(request, response).catch(() => request.socket.destroy())
    })
  }

  /** Deletes what has expired by now in every table whose expiry was switched on through this gateway. Answers with how many items. */
  async expire(nowSeconds: number): Promise<number> {
    let expired = 0
    const send = (operation: string, input: object) => this.#engine.send(operation, input, this.#signature)
    for (const [table, attribute] of this.#ttl) expired += await expire(send, table, attribute, nowSeconds)
    return expired
  }

  /** Cuts every connection and refuses new ones until the returned function is called. What the engine has begun, it ends. */
  async outage(): Promise<() => Promise<void>> {
    await hungUp(this.#server)
    return () =>
      new Promise((resolve, reject) => {
        this.#server.once('error', reject)
        this.#server.listen(Number(new URL(this.endpoint).port), '127.0.0.1', () => {
          this.#server.off('error', reject)
          resolve()
        })
      })
  }

  /** Hangs up on everybody. May be called twice. */
  close(): Promise<void> {
    this.#closed ??= hungUp(this.#server).finally(() => this.#engine.close())
    return this.#closed
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = await textOf(request)
    const operation = String(request.headers['x-amz-target']).split('.')[1] ?? ''
    const signature = signatureOf(request.headers)
    this.#signature = signature
    this.requests.set(operation, (this.requests.get(operation) ?? 0) + 1)
    const fate = { ...fateOf(this.faults, operation, this.#draw), ...this.plan.shift() }
    if (fate.resetsBefore) {
      request.socket.destroy()
      return
    }
    const input = JSON.parse(text) as Record<string, unknown>
    const answer = fate.isThrottled
      ? this.#throttle(tableOf(input), this.faults.throttleReason ?? 'TableWriteKeyRangeThroughputExceeded')
      : await this.#answer(operation, input, signature)
    if (fate.delayMs > 0) await pause(fate.delayMs)
    if (fate.resetsAfter || fate.errsAfter) this.lostAnswerCount += 1
    if (fate.resetsAfter) request.socket.destroy()
    else reply(response, fate.errsAfter ? serverError : answer)
  }

  #answer(operation: string, input: Record<string, unknown>, signature: Signature): Promise<Answer> {
    if (operation === 'UpdateTimeToLive') return Promise.resolve(this.#setTtl(input))
    const ttl = this.#ttl.get(tableOf(input))
    if (operation === 'DescribeTimeToLive' && ttl !== undefined) {
      const described = { AttributeName: ttl, TimeToLiveStatus: 'ENABLED' }
      return Promise.resolve({ status: 200, body: { TimeToLiveDescription: described } })
    }
    return this.#operations.run(operation, input, signature)
  }

  #throttle(table: string, reason: string): Answer {
    this.throttledCount += 1
    return throttled(this.#mode, reason, table)
  }

  #setTtl(input: Record<string, unknown>): Answer {
    const given = input['TimeToLiveSpecification'] as { Enabled?: boolean; AttributeName?: string } | undefined
    if (given?.AttributeName === undefined) return invalid('TimeToLiveSpecification is missing')
    const table = tableOf(input)
    if (given.Enabled === true && this.#ttl.has(table)) return invalid('TimeToLive is already enabled')
    if (given.Enabled === true) this.#ttl.set(table, given.AttributeName)
    else this.#ttl.delete(table)
    return { status: 200, body: { TimeToLiveSpecification: given } }
  }
}

/** Resolves once a server listens no longer and all its connections are cut. */
function hungUp(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

function tableOf(input: Record<string, unknown>): string {
  return typeof input['TableName'] === 'string'
    ? input['TableName']
    : Object.keys(input['RequestItems'] ?? {}).join(',')
}

function reply(response: ServerResponse, { status, body }: Answer): void {
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/x-amz-json-1.0',
    'content-length': Buffer.byteLength(text),
    'x-amzn-requestid': 'GATEWAY',
  })
  response.end(text)
}
