// Problem: engines are set up and looked at without any of the clients under test.
// Scheme: the least of a Redis client: one connection, RESP2, one answer after the other.
// Invariants: answers settle in the order of the commands; a lost connection rejects all that are open.
// Cost: a string concatenation a chunk; for administration only.
// Source: redis.io/docs/latest/develop/reference/protocol-spec

import { connect, type Socket } from 'node:net'

interface Waiter {
  resolve(answer: unknown): void
  reject(error: Error): void
}

/** A connection to one Redis server. */
export class RespConnection {
  readonly #socket: Socket
  readonly #waiters: Waiter[] = []
  #received = Buffer.alloc(0)

  constructor(port: number, host = '127.0.0.1') {
    this.#socket = connect({ port, host, noDelay: true })
    this.#socket.unref() // only open commands hold the process
    this.#socket.on('data', (chunk) => this.#receive(chunk))
    this.#socket.on('error', (error) => this.#fail(error))
    this.#socket.on('close', () => this.#fail(new Error('The connection to Redis was closed.')))
  }

  /** Sends a command; rejects with what Redis answers as an error. */
  call(...args: readonly (string | number)[]): Promise<unknown> {
    if (this.#socket.destroyed) return Promise.reject(new Error('The connection to Redis is closed.'))
    this.#socket.ref()
    const parts = args.map((arg) => `$${Buffer.byteLength(String(arg))}\r\n${arg}\r\n`)
    this.#socket.write(`*${args.length}\r\n${parts.join('')}`)
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }))
  }

  /** Closes the connection. */
  close(): void {
    this.#socket.destroy()
  }

  #receive(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk])
    for (;;) {
      const parsed = parse(this.#received, 0)
      if (parsed === undefined) return
      this.#received = this.#received.subarray(parsed.end)
      const waiter = this.#waiters.shift()
      if (this.#waiters.length === 0) this.#socket.unref()
      if (parsed.value instanceof Error) waiter?.reject(parsed.value)
      else waiter?.resolve(parsed.value)
    }
  }

  #fail(error: Error): void {
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error)
  }
}

interface Parsed {
  readonly value: unknown
  readonly end: number
}

/** The answer that begins at `start`; undefined while it is not complete. */
function parse(bytes: Buffer, start: number): Parsed | undefined {
  const lineEnd = bytes.indexOf('\r\n', start)
  if (lineEnd < 0) return undefined
  const line = bytes.toString('utf8', start + 1, lineEnd)
  const end = lineEnd + 2
  switch (String.fromCharCode(bytes[start] ?? 0)) {
    case '+':
      return { value: line, end }
    case '-':
      return { value: new Error(line), end }
    case ':':
      return { value: Number(line), end }
    case '$':
      return parseBulk(bytes, Number(line), end)
    case '*':
      return parseArray(bytes, Number(line), end)
    default:
      throw new Error(`Redis answered in a form that is not RESP2: ${line}`)
  }
}

function parseBulk(bytes: Buffer, length: number, start: number): Parsed | undefined {
  if (length < 0) return { value: undefined, end: start }
  const end = start + length + 2
  return end > bytes.length ? undefined : { value: bytes.toString('utf8', start, end - 2), end }
}

function parseArray(bytes: Buffer, count: number, start: number): Parsed | undefined {
  if (count < 0) return { value: undefined, end: start }
  const value: unknown[] = []
  let end = start
  for (let i = 0; i < count; i++) {
    const item = parse(bytes, end)
    if (item === undefined) return undefined
    value.push(item.value)
    end = item.end
  }
  return { value, end }
}
