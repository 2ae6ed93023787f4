// Problem: the worst a network does to a write is to carry it out and lose the answer; it seldom does so while a test looks.
// Scheme: a TCP proxy in front of an engine. For each piece of a request it draws, from a seed, whether to pass it on, to cut the
//   connection before it, or to pass it on and cut the connection, or half-close it, when the answer comes.
// Invariants: the same seed and the same order of requests draw the same faults; without faults bytes pass unchanged.
// Cost: one more hop on loopback, about a tenth of the throughput.
// Source: toxiproxy, for the idea.

import { connect, createServer, type Server, type Socket } from 'node:net'

import { after } from '../time/wait.js'

/** How likely each fault strikes a piece of a request; 0 to 1. */
export interface ProxyFaults {
  /** The connection is cut and the engine sees nothing of the request. @default 0 */
  readonly cutBeforeRequest?: number
  /** The engine has the request, and the connection is cut when it answers. @default 0 */
  readonly cutBeforeAnswer?: number
  /** The engine has the request, and its answer is swallowed behind the end of the stream; the client's side stays half open. @default 0 */
  readonly halfClose?: number
  /** The answer is held back for `delayMs`. @default 0 */
  readonly delay?: number
  /** How long delayed answers are held back. @default 50 */
  readonly delayMs?: number
}

/** How {@link startFaultProxy} sets a proxy up. */
export interface ProxyOptions {
  /** The engine's port. */
  readonly port: number
  /** The engine's host. @default '127.0.0.1' */
  readonly host?: string
  /** Every draw comes from it. @default 1 */
  readonly seed?: number
  /** The faults at first. @default none */
  readonly faults?: ProxyFaults
}

/** Starts a proxy on a free port of the loopback interface. */
export async function startFaultProxy(options: ProxyOptions): Promise<FaultProxy> {
  const server = createServer({ allowHalfOpen: true, noDelay: true })
  server.unref()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return new FaultProxy(server, options)
}

/** A running proxy. */
export class FaultProxy {
  /** Where clients connect; always on 127.0.0.1. */
  readonly port: number
  /** What may happen from now on; change it at any time. */
  faults: ProxyFaults
  /** How many connections were cut or half-closed so far. */
  faultCount = 0
  readonly #server: Server
  readonly #options: ProxyOptions
  readonly #pairs = new Set<Pair>()
  #draws: number

  constructor(server: Server, options: ProxyOptions) {
    const address = server.address()
    this.port = typeof address === 'object' && address !== null ? address.port : 0
    this.faults = options.faults ?? {}
    this.#server = server
    this.#options = options
    this.#draws = options.seed ?? 1
    server.on('connection', (client) => this.#accept(client))
  }

  /** Cuts every connection and refuses new ones until the returned function is called. */
  async outage(): Promise<() => Promise<void>> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#cutAll()
    await closed
    return () =>
      new Promise((resolve, reject) => {
        this.#server.once('error', reject)
        this.#server.listen(this.port, '127.0.0.1', () => {
          this.#server.off('error', reject)
          resolve()
        })
      })
  }

  /** Cuts all connections and stops listening. */
  async close(): Promise<void> {
    this.#cutAll()
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve))
  }

  #accept(client: Socket): void {
    const engine = connect({ port: this.#options.port, host: this.#options.host ?? '127.0.0.1', noDelay: true })
    const pair = new Pair(client, engine, {
      draw: () => this.#draw(),
      faults: () => this.faults,
      struck: () => (this.faultCount += 1),
    })
    this.#pairs.add(pair)
    client.once('close', () => this.#pairs.delete(pair))
  }

  #cutAll(): void {
    for (const pair of this.#pairs) pair.cut()
    this.#pairs.clear()
  }

  /** Mulberry32. */
  #draw(): number {
    this.#draws = (this.#draws + 0x6d2b79f5) | 0
    let t = Math.imul(this.#draws ^ (this.#draws >>> 15), this.#draws | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

interface PairParts {
  draw(): number
  faults(): ProxyFaults
  struck(): void
}

/** One client's connection and the one to the engine behind it. */
class Pair {
  readonly #client: Socket
  readonly #engine: Socket
  readonly #parts: PairParts
  readonly #held: Buffer[] = []
  #atAnswer: 'pass' | 'cut' | 'half-close' = 'pass'
  #delayMs = 0

  constructor(client: Socket, engine: Socket, parts: PairParts) {
    this.#client = client
    this.#engine = engine
    this.#parts = parts
    client.on('data', (chunk) => this.#request(chunk))
    engine.on('data', (chunk) => this.#answer(chunk))
    client.on('end', () => engine.end())
    engine.on('end', () => client.end())
    for (const socket of [client, engine]) {
      socket.on('error', () => this.cut())
      socket.on('close', () => this.cut())
    }
  }

  cut(): void {
    this.#client.destroy()
    this.#engine.destroy()
  }

  #request(chunk: Buffer): void {
    const { cutBeforeRequest = 0, cutBeforeAnswer = 0, halfClose = 0, delay = 0, delayMs = 50 } = this.#parts.faults()
    this.#delayMs = 0
    if (cutBeforeRequest + cutBeforeAnswer + halfClose + delay > 0) {
      let drawn = this.#parts.draw()
      if ((drawn -= cutBeforeRequest) < 0) {
        this.#parts.struck()
        this.cut()
        return
      }
      if ((drawn -= cutBeforeAnswer) < 0) this.#atAnswer = 'cut'
      else if ((drawn -= halfClose) < 0) this.#atAnswer = 'half-close'
      else if (drawn < delay) this.#delayMs = delayMs
    }
    this.#engine.write(chunk)
  }

  #answer(chunk: Buffer): void {
    if (this.#atAnswer === 'cut') {
      this.#parts.struck()
      this.cut()
    } else if (this.#atAnswer === 'half-close') {
      if (!this.#client.writableEnded) {
        this.#parts.struck()
        this.#client.end()
      }
    } else if (this.#delayMs > 0 || this.#held.length > 0) this.#hold(chunk)
    else this.#client.write(chunk)
  }

  /** A piece never overtakes an earlier one, whatever its own delay: a client would take it for the answer to another request. */
  #hold(chunk: Buffer): void {
    this.#held.push(chunk)
    after(this.#delayMs, () => {
      const first = this.#held.shift()
      if (first !== undefined && !this.#client.destroyed) this.#client.write(first)
    })
  }
}
