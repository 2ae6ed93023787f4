import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { getRequestListener } from '@hono/node-server'
import type { Hono } from 'hono'

/** A server that listens. */
export interface Server {
  /** Where it answers. */
  readonly url: string
  /** Accepts nothing more; resolves when all requests are answered, or after `graceMs`, when it cuts off those that are left. */
  close(graceMs: number): Promise<void>
}

const idleMs = 50

/** Listens on the loopback interface; 0 stands for any port that is free. Rejects when it cannot. */
export async function startServer(app: Hono, port: number): Promise<Server> {
  const listener = getRequestListener(app.fetch)
  const server = createServer((incoming, outgoing) => void listener(incoming, outgoing))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close(graceMs) {
      const closed = new Promise((resolve) => server.close(resolve))
      const idle = setInterval(() => server.closeIdleConnections(), idleMs) // whose last request has been answered meanwhile
      const cutOff = setTimeout(() => server.closeAllConnections(), graceMs)
      await closed
      clearInterval(idle)
      clearTimeout(cutOff)
    },
  }
}
