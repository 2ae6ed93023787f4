import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'

import { createClient } from '@spillway/core'

import { feedApi } from './feed-api.js'
import { stores } from './open-store.js'
import { startServer } from './start-server.js'

const usage = `An activity feed over HTTP.

Usage: npx tsx examples/activity-feed/main.ts [options]

  --backend NAME   memory, redis or dynamodb                     (default memory)
  --address URL    redis://host:port or http://host:port         (default: one is started, which forgets all at the end)
  --port N         where to listen, on the loopback interface    (default 8080; 0 for any)
  --hot FEED       a feed known to be hot: it gets 8 shards; may be repeated

FEED_CURSOR_KEY signs cursors: 16 characters or more. Without it they are of use until this process ends.`

const graceMs = 5_000

function settings() {
  const text = { type: 'string' } as const
  const options = {
    backend: text,
    address: text,
    port: text,
    hot: { ...text, multiple: true },
    help: { type: 'boolean' },
  } as const
  const { backend = 'memory', address, port = '8080', hot = [], help = false } = parseArgs({ options }).values
  if (!Object.hasOwn(stores, backend))
    throw new TypeError(`--backend must be memory, redis or dynamodb, but was ${backend}`)
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535)
    throw new TypeError(`--port must be 0 to 65535, but was ${port}`)
  return { backend: backend as keyof typeof stores, address, port: Number(port), hot, help }
}

async function main(): Promise<void> {
  const { backend, address, port, hot, help } = settings()
  if (help) return console.log(usage)
  const store = await stores[backend](address)
  const rules = hot.map((feed) => ({ match: `feed:${feed}`, fanout: 8 }))
  const client = await createClient({ backend: store.backend, sharding: { rules } })
  client.on('route-changed', ({ key, phase, write }) => console.log(`${key}: ${phase}, ${write} shards`))
  const cursorKey = process.env['FEED_CURSOR_KEY'] ?? randomBytes(32).toString('base64url')
  const server = await startServer(feedApi(client, cursorKey), port)
  console.log(`listening on ${server.url}, events in ${store.backend.name}`)

  const signal = await new Promise<string>((resolve) => {
    process.once('SIGINT', resolve)
    process.once('SIGTERM', resolve)
  })
  console.log(`${signal}: answering what has come in`)
  await server.close(graceMs)
  const report = await client.close()
  console.log('closed:', report)
  await store.close()
}

try {
  await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1) // a client of an engine that is gone would try to reach it for ever
}
