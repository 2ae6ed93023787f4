// A process of its own that works, or reads back, in a chaos run on a cluster.

import { createClient, latest, max, sum, union } from '@spillway/core'
import { chaosOptions, chaosTask, chaosPrefixes, endTask, runChaosProcess, unitsPerSecond } from '@spillway/testkit'
import { Cluster, type NatMap, type Redis } from 'ioredis'

import { redis } from '../src/index.js'

async function main(): Promise<void> {
  const task = await chaosTask()
  const { orders } = task
  if (orders.role === 'prepare') return endTask()
  const { addresses, natMap } = orders.place as { readonly addresses: { host: string; port: number }[]; natMap: NatMap }
  const prefixes = chaosPrefixes(orders)
  await runChaosProcess(task, async () => {
    const driver = new Cluster(addresses, {
      natMap,
      clusterRetryStrategy: () => 50,
      slotsRefreshInterval: 0, // one that is under way when the driver is closed holds the process for ever
      redisOptions: { socketTimeout: 3_000 },
    })
    driver.on('error', () => undefined)
    driver.on('+node', forgiveAsking)
    const backend = redis({
      client: driver,
      writeReplicas: 1, // else a failover may lose what was acknowledged
      writeUnitsPerSecond: unitsPerSecond.write,
      readUnitsPerSecond: unitsPerSecond.read,
    })
    const client = await createClient({ backend, ...chaosOptions(orders) }).catch((error: unknown) => {
      driver.disconnect()
      throw error
    })
    const rules = { count: sum(), ids: union(), peak: max(), last: latest<string>() }
    return {
      records: client.records('chaos', rules, { prefix: prefixes.records }),
      items: client.collection<{ readonly id: string }>('chaos', { prefix: prefixes.items }),
      directory: backend.directory,
      on: (name, listener) => client.on(name, listener),
      async close() {
        await client.close()
        driver.disconnect()
      },
    }
  })
}

/** ioredis leaves its own ASKING to nobody: a node that goes away while a slot moves would end the process. */
function forgiveAsking(node: Redis): void {
  const asking = node.asking.bind(node)
  node.asking = () => {
    const asked = asking()
    asked.catch(() => undefined)
    return asked
  }
}

void main()
