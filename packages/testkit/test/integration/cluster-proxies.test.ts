import { startClusterProxies, startRedisCluster, type ClusterProxies, type RedisCluster } from '@spillway/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { RespConnection } from '../../src/engines/resp-connection.js'

let cluster: RedisCluster
let proxies: ClusterProxies

beforeAll(async () => {
  cluster = await startRedisCluster()
  proxies = await startClusterProxies(cluster)
}, 60_000)

afterAll(async () => {
  await proxies.close()
  await cluster.close()
})

async function callAt(port: number, ...args: readonly string[]): Promise<unknown> {
  const connection = new RespConnection(port)
  try {
    return await connection.call(...args)
  } finally {
    connection.close()
  }
}

test('a client that follows redirections through the map never leaves the proxies', async () => {
  const key = 'somewhere'
  const wrong: string[] = []
  for (const { port } of proxies.addresses) {
    const redirected = await callAt(port, 'SET', key, '1').catch((error: unknown) => String(error))
    const own = /MOVED \d+ (\S+)/.exec(String(redirected))?.[1]
    if (own === undefined) continue
    wrong.push(own)
    const mapped = proxies.natMap[own]!
    expect(proxies.addresses).toContainEqual(mapped)
    expect(await callAt(mapped.port, 'SET', key, '2')).toBe('OK')
  }
  expect(wrong).toHaveLength(5)
})

test('each node has a proxy of its own', async () => {
  const node = cluster.nodes[2]!
  const id = await node.call('CLUSTER', 'MYID')
  expect(await callAt(proxies.of(node).port, 'CLUSTER', 'MYID')).toBe(id)
})

test('faults strike at every node, and only while they are wanted', async () => {
  proxies.strike({ cutBeforeRequest: 1 })
  for (const { port } of proxies.addresses) await expect(callAt(port, 'PING')).rejects.toThrow('closed')
  expect(proxies.faultCount).toBe(6)
  proxies.strike({})
  for (const { port } of proxies.addresses) expect(await callAt(port, 'PING')).toBe('PONG')
})

test('in an outage nobody gets through until it is lifted', async () => {
  const held = new RespConnection(proxies.addresses[0]!.port)
  expect(await held.call('PING')).toBe('PONG')
  const cut = held.call('BLPOP', 'nothing', 0).catch((error: unknown) => error)
  const lift = await proxies.outage()
  expect(await cut).toBeInstanceOf(Error)
  for (const { port } of proxies.addresses) await expect(callAt(port, 'PING')).rejects.toThrow('ECONNREFUSED')
  expect(await cluster.nodes[0]!.call('PING')).toBe('PONG')
  await lift()
  for (const { port } of proxies.addresses) expect(await callAt(port, 'PING')).toBe('PONG')
})
