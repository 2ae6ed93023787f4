import type { ShardRef } from '../../src/index.js'
import { expect } from 'vitest'
import { type Opened, opened, type OpenOptions } from './opened.js'

/** Short leases, so that a route is active soon. */
export const shortLease = { refreshMs: 100, leaseMs: 300 } as const

/** A client on which the key `hot` is spread over `fanout` shards. */
export async function openedSpread(fanout: number, options: OpenOptions = {}): Promise<Opened> {
  const rules = [{ match: 'hot', fanout }]
  const world = await opened({ routing: shortLease, sharding: { rules }, ...options })
  let route = { phase: 'cold', write: 1 }
  const end = world.client.on('route-changed', (event) => {
    route = event
  })
  for (let ms = 0; ms < 2_000 && route.phase !== 'active'; ms += 50) await world.clock.advance(50)
  end()
  expect(route).toMatchObject({ phase: 'active', write: fanout })
  return world
}

/** Where the shards of `hot` are, as a read shows; the reads that it took are forgotten. */
export async function shardsOf(world: Opened, read: () => Promise<unknown>): Promise<readonly ShardRef[]> {
  const before = world.backend.reads.length
  await read()
  return world.backend.reads
    .splice(before)
    .flatMap(({ shards }) => shards)
    .toSorted((a, b) => a.index - b.index)
}
