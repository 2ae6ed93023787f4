import { createClient, sum } from '@spillway/core'

import { connect } from './connect.js'
import { postgres } from './postgres-backend.js'

const clientCount = 8
/** Rounds once every client knows that the key is spread, and rounds at most. */
const roundsSpread = 100
const roundsMax = 10_000
const callsEach = 25

const url = process.env['DATABASE_URL']
const connection = await connect(url)
console.log(url === undefined ? 'PostgreSQL in this process (PGlite)' : 'PostgreSQL at DATABASE_URL')

// Each client stands for a process of its own: they know of each other only by the directory, which is a row of the table.
const clients = await Promise.all(
  Array.from({ length: clientCount }, () =>
    createClient({
      backend: postgres(connection.client),
      collapse: { windowMs: 10 },
      routing: { refreshMs: 100, leaseMs: 500 }, // short, so that the route is active within a second
      sharding: { rules: [{ match: 'front-page', fanout: 4 }] },
    }),
  ),
)
const pages = clients.map((each) => each.records('page', { views: sum() }))

let spreadCount = 0
for (const [i, each] of clients.entries()) {
  each.on('route-changed', ({ key, phase, read, write }) => {
    if (i === 0) console.log(`the route of ${key} is ${phase}: reads cover ${read} shards, writes go to ${write}`)
    if (phase === 'active') spreadCount += 1
  })
}

let views = 0
for (let round = 0, left = roundsSpread; left > 0 && round < roundsMax; round++) {
  const calls = pages.flatMap((page) => Array.from({ length: callsEach }, () => page.write('front-page', { views: 1 })))
  await Promise.all([...calls, pages[round % clientCount]?.write(`page-${round % 3}`, { views: 1 })])
  views += calls.length
  await new Promise((resolve) => setImmediate(resolve)) // PGlite itself never lets timers run
  if (spreadCount === clientCount) left -= 1
}

const { rows } = await connection.client.query(
  "SELECT convert_from(place, 'UTF8') AS document, revision::text AS version FROM spillway ORDER BY place",
  [],
)
console.log('\nwhere the rows stand                     written')
for (const { document, version } of rows) console.log(`${document?.padEnd(40)} ${version?.padStart(7)}`)

const read = (await pages[0]?.read('front-page'))?.views
const isExact = read === views
console.log(`\n${views} calls of write('front-page', { views: 1 }), and read('front-page') gives ${read} views`)
console.log(isExact ? 'exact' : 'WRONG')
await Promise.all(clients.map((each) => each.close()))
await connection.close()
process.exitCode = isExact ? 0 : 1
