// Runs in a process of its own, so that what engines cost is not counted as the clients' lateness. Holds one engine with the
// faults that it was ordered to have, says where it answers, and takes it down when its parent ends, however that happens.

import {
  startClusterProxies,
  startDynalite,
  startFaultProxy,
  startGateway,
  startRedis,
  startRedisCluster,
} from '@spillway/testkit'

import type { HostAnswer, HostedEngine, HostOrder } from './start-host.js'

interface Held extends HostedEngine {
  /** Answers lost so far. */
  lostCount(): number
  close(): Promise<void>
}

const starters: Readonly<Record<HostOrder['engine'], (order: HostOrder) => Promise<Held>>> = {
  async redis({ lostAnswerChance }) {
    const server = await startRedis({ isOwn: true })
    const proxy = await startFaultProxy({ port: server.port, faults: { cutBeforeAnswer: lostAnswerChance } })
    return {
      address: `redis://127.0.0.1:${proxy.port}`,
      lostCount: () => proxy.faultCount,
      close: async () => {
        await proxy.close()
        await server.close()
      },
    }
  },
  async 'redis-cluster'({ lostAnswerChance }) {
    const cluster = await startRedisCluster({ isOwn: true })
    const proxies = await startClusterProxies(cluster, { faults: { cutBeforeAnswer: lostAnswerChance } })
    return {
      address: proxies.addresses.map(({ host, port }) => `${host}:${port}`).join(','),
      natMap: proxies.natMap,
      lostCount: () => proxies.faultCount,
      close: async () => {
        await proxies.close()
        await cluster.close()
      },
    }
  },
  async dynamodb({ lostAnswerChance, partitions }) {
    const engine = await startDynalite()
    const faults = { errorAfterEffect: lostAnswerChance, operations: ['UpdateItem'] }
    const gateway = await startGateway({
      endpoint: engine.endpoint,
      faults,
      mode: 'onDemand',
      ...(partitions && { partitions }),
    })
    return {
      address: gateway.endpoint,
      lostCount: () => gateway.lostAnswerCount,
      close: async () => {
        await gateway.close()
        await engine.close()
      },
    }
  },
}

function say(answer: HostAnswer): void {
  process.send?.(answer)
}

const order = JSON.parse(process.argv[2] ?? '') as HostOrder
try {
  const held = await starters[order.engine](order)
  process.on('message', () => say({ lostCount: held.lostCount() })) // there is only one question
  process.once('disconnect', () => void held.close().finally(() => process.exit()))
  say({ started: { address: held.address, natMap: held.natMap } })
} catch (error) {
  say({ failure: error instanceof Error ? error.message : String(error) })
  process.disconnect()
}
