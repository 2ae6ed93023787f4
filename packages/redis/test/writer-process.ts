// One process of a fleet: reads its orders from its arguments, writes until it has seen the route of the key grow as far as it
// was told, and on, and prints what became of it as JSON.

import { Cluster } from 'ioredis'

import { opened } from './clients.js'
import { added, increment, openMember } from './fleet.js'

/** A growth that takes longer is not waited for: whoever reads the report sees that it is missing. */
const patienceMs = 40_000

const [ports, key, count, declared, awaited] = process.argv.slice(2) as [string, string, string, string, string]
const nodes = ports.split(',').map((port) => ({ host: '127.0.0.1', port: Number(port) }))
// Planned at a hundred writes a second a shard: where the machine is fast, the key is spread further than anybody declares.
const member = await openMember(await opened(new Cluster(nodes)), {
  redis: { writeUnitsPerSecond: 100 },
  sharding: { fanoutMax: 16, rules: declared === '1' ? [] : [{ match: key, fanout: Number(declared) }] },
  collapse: { windowMs: 2 },
  limits: { requestTimeoutMs: 3_000 }, // several processes start at once on few cores
})
let fanoutMost = 1
member.client.on('route-changed', ({ write }) => {
  fanoutMost = Math.max(fanoutMost, write)
})
const tallies = [await increment(member, key, Number(count), 4)]
const end = performance.now() + patienceMs
while (fanoutMost < Number(awaited) && performance.now() < end) tallies.push(await increment(member, key, 20, 4))
tallies.push(await increment(member, key, Number(count), 4))
await member.close()
process.stdout.write(`${JSON.stringify({ ...added(tallies), fanoutMost })}\n`)
