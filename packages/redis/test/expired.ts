import type { RedisProcess } from '@spillway/testkit'

/** Takes away what would expire on these primaries within so many milliseconds. */
export async function expireWithin(primaries: readonly RedisProcess[], withinMs: number): Promise<void> {
  for (const node of primaries)
    for (const key of (await node.call('KEYS', '*')) as string[]) {
      const leftMs = (await node.call('PTTL', key)) as number
      if (leftMs >= 0 && leftMs <= withinMs) await node.call('DEL', key)
    }
}
