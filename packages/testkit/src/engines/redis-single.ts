import { RedisProcess } from './redis-process.js'

/** How {@link startRedis} sets a server up. */
export interface RedisOptions {
  /** More arguments of `redis-server`, such as `['--maxmemory-policy', 'allkeys-lru']`. @default none */
  readonly args?: readonly string[]
  /** A server of the test's own, which it may kill and freeze, whatever the environment names. @default false */
  readonly isOwn?: boolean
}

/**
 * Starts one Redis on a free port of the loopback interface, without persistence, and waits until it answers. Where the
 * environment variable SPILLWAY_REDIS_URL names one and no arguments are asked for, that is taken and emptied.
 */
export async function startRedis(options: RedisOptions = {}): Promise<RedisProcess> {
  const named = process.env['SPILLWAY_REDIS_URL']
  if (named === undefined || named === '' || options.args !== undefined || options.isOwn === true)
    return RedisProcess.start(() => options.args ?? [])
  const { hostname, port } = new URL(named.includes('://') ? named : `redis://${named}`)
  const server = RedisProcess.named(hostname, Number(port || 6_379))
  await server.call('FLUSHALL')
  return server
}
