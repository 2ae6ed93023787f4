// One process of a fleet: reads its orders from its arguments, writes, and prints what became of it as JSON.

import { Cluster } from 'ioredis'

import { opened } from './clients.js'
import { increment, openMember } from './fleet.js'

const [ports, key, count] = process.argv.slice(2) as [string, string, string]
const nodes = ports.split(',').map((port) => ({ host: '127.0.0.1', port: Number(port) }))
// Planned at a hundred writes a second a shard, so that the key is spread further and further.
const member = await openMember(await opened(new Cluster(nodes)), {
  redis: { writeUnitsPerSecond: 100 },
  sharding: { fanoutMax: 16 },
  collapse: { windowMs: 2 },
  limits: { requestTimeoutMs: 3_000 }, // several processes start at once on few cores
})
let fanoutMost = 1
member.client.on('route-changed', ({ write }) => {
  fanoutMost = Math.max(fanoutMost, write)
})
const tally = await increment(member, key, Number(count), 4)
await member.close()
process.stdout.write(`${JSON.stringify({ ...tally, fanoutMost })}\n`)
