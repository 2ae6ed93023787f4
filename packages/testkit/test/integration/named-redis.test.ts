import { startRedis, startRedisCluster, type RedisCluster, type RedisProcess } from '@spillway/testkit'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'

let server: RedisProcess
let cluster: RedisCluster

beforeAll(async () => {
  ;[server, cluster] = await Promise.all([startRedis({ isOwn: true }), startRedisCluster({ isOwn: true })])
}, 60_000)
afterEach(() => vi.unstubAllEnvs())
afterAll(() => Promise.all([server.close(), cluster.close()]))

test('a Redis that the environment names is taken, emptied and left running, and cannot be killed', async () => {
  await server.call('SET', 'left over', '1')
  vi.stubEnv('SPILLWAY_REDIS_URL', `redis://127.0.0.1:${server.port}`)
  const named = await startRedis()
  expect({ host: named.host, port: named.port }).toEqual({ host: '127.0.0.1', port: server.port })
  expect(await named.call('DBSIZE')).toBe(0)
  expect(() => named.crash()).toThrow('was not started by the tests')
  await named.close()
  expect(await server.call('PING')).toBe('PONG')
})

test('a test that asks for arguments, or for a Redis of its own, gets that', async () => {
  vi.stubEnv('SPILLWAY_REDIS_URL', `redis://127.0.0.1:${server.port}`)
  for (const options of [{ isOwn: true }, { args: ['--maxmemory-policy', 'allkeys-lru'] }]) {
    const own = await startRedis(options)
    expect(own.port).not.toBe(server.port)
    await own.close()
  }
})

test('a cluster that the environment names is taken in whatever order, emptied and left running', async () => {
  const shuffled = cluster.addresses.toReversed().map(({ host, port }) => `${host}:${port}`)
  vi.stubEnv('SPILLWAY_REDIS_CLUSTER', shuffled.join(','))
  const named = await startRedisCluster()
  const roles = await Promise.all(named.nodes.map(async (node) => ((await node.call('ROLE')) as unknown[])[0]))
  expect(roles).toEqual(['master', 'master', 'master', 'slave', 'slave', 'slave'])
  expect((await named.primaryOf(0)).port).toBe(cluster.nodes[0]!.port)
  await named.close()
  expect(await cluster.nodes[0]!.call('PING')).toBe('PONG')
})

test('a cluster that is named only in part is refused', async () => {
  const half = cluster.addresses.slice(0, 3).map(({ host, port }) => `${host}:${port}`)
  vi.stubEnv('SPILLWAY_REDIS_CLUSTER', half.join(','))
  await expect(startRedisCluster()).rejects.toThrow('must name three primaries and a replica of each')
})
