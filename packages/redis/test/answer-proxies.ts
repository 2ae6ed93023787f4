// Problem: an answer that is lost decides about a write; a proxy that knows only pieces of bytes loses those of greetings as well.
// Scheme: proxies in front of an engine that follow requests and answers one by one, and cut the connection in place of an answer
//   to what a backend asks for.
// Invariants: bytes pass unchanged; the engine has done what the lost answer belongs to.
// Cost: a look at every byte's frame.
// Source: redis.io/docs/latest/develop/reference/protocol-spec.

import { connect, createServer, type Server, type Socket } from 'node:net'

/** Proxies that stand before one engine each. */
export interface AnswerProxies {
  /** Where clients connect, in the order of the engines. */
  readonly ports: readonly number[]
  /** Lets the next so many requests be answered, and loses the answers of so many after them; all of them, greetings as well, when it is `Infinity`. */
  lose(answeredCount: number, lostCount: number): () => void
  close(): Promise<void>
}

/** What a backend asks for; all else is between the client and Redis. */
const counted = new Set(['evalsha', 'eval', 'hmget', 'hincrby', 'get', 'type', 'wait'])

/** Starts a proxy in front of each of these ports of the loopback interface. */
export async function startAnswerProxies(engines: readonly number[]): Promise<AnswerProxies> {
  const left = { answered: 0, lost: 0 }
  const isLost = (name: string): boolean => {
    if (left.lost === 0) return false
    const isCounted = counted.has(name)
    if (left.answered > 0) {
      if (isCounted) left.answered -= 1
      return false
    }
    if (!isCounted && left.lost !== Infinity) return false
    left.lost -= 1
    return true
  }
  const open = new Set<Socket>()
  const servers = await Promise.all(engines.map((port) => listening(port, open, isLost)))
  return {
    ports: servers.map((server) => (server.address() as { port: number }).port),
    lose(answeredCount, lostCount) {
      left.answered = answeredCount
      left.lost = lostCount
      return () => {
        left.lost = 0
      }
    },
    async close() {
      for (const socket of open) socket.destroy()
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
    },
  }
}

async function listening(port: number, open: Set<Socket>, isLost: (name: string) => boolean): Promise<Server> {
  const server = createServer({ noDelay: true }, (client) => {
    const engine = connect({ port, host: '127.0.0.1', noDelay: true })
    const names: string[] = []
    const cut = () => {
      for (const socket of [client, engine]) socket.destroy()
    }
    for (const socket of [client, engine]) {
      open.add(socket)
      socket.on('error', cut).on('close', () => {
        open.delete(socket)
        cut()
      })
    }
    client.on('data', (data) => engine.write(data))
    eachFrame(client, (frame) => names.push(nameOf(frame)))
    eachFrame(engine, (frame) => {
      if (client.destroyed) return
      const isPush = frame[0] === 62 // `>`: nobody asked for it
      if (!isPush && isLost(names.shift() ?? '')) cut()
      else client.write(frame)
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return server
}

/** The name of a command, in lower case. */
function nameOf(request: Buffer): string {
  const [, name = ''] = /\r\n\$\d+\r\n(\w+)/.exec(request.toString('latin1', 0, 64)) ?? []
  return name.toLowerCase()
}

/** Tells of every whole value that comes. */
function eachFrame(socket: Socket, onFrame: (frame: Buffer) => void): void {
  let rest = Buffer.alloc(0)
  socket.on('data', (data: Buffer) => {
    rest = Buffer.concat([rest, data])
    for (let end = endOf(rest, 0); end > 0; end = endOf(rest, 0)) {
      onFrame(rest.subarray(0, end))
      rest = rest.subarray(end)
    }
  })
}

/** Where the value that begins at `from` ends; -1 while it is not whole. */
function endOf(bytes: Buffer, from: number): number {
  const line = bytes.indexOf('\r\n', from)
  if (line < 0) return -1
  const [type, size] = [String.fromCharCode(bytes[from] ?? 0), Number(bytes.toString('latin1', from + 1, line))]
  if ('$=!'.includes(type)) {
    const end = size < 0 ? line + 2 : line + 2 + size + 2
    return end <= bytes.length ? end : -1
  }
  let end = line + 2
  const count = '*~>'.includes(type) ? size : type === '%' ? 2 * size : 0
  for (let i = 0; i < count && end > 0; i++) end = endOf(bytes, end)
  return end
}
