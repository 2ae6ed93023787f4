import { RedisProcess } from './redis-process.js'

/** How {@link startRedis} sets a server up. */
export interface RedisOptions {
  /** More arguments of `redis-server`, such as `['--maxmemory-policy', 'allkeys-lru']`. @default none */
  readonly args?: readonly string[]
}

/** Starts one Redis on a free port of the loopback interface, without persistence, and waits until it answers. */
export function startRedis(options: RedisOptions = {}): Promise<RedisProcess> {
  return RedisProcess.start(() => options.args ?? [])
}
