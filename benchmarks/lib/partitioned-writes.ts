// Writes to one hot key on a store whose partitions refuse what goes beyond 1,000 units a second, in virtual time: what is
// seen is what the store lets through, whatever the machine is busy with. Two seconds to warm up, in which each partition
// spends the second that it has saved, then five that count. After each run the store must hold exactly what was acknowledged.

import { type Backend, createClient, memory, placeOf, type Random } from '@spillway/core'
import { FakeClock, PartitionedBackend, seededRandom } from '@spillway/core/testing'

import { partitionOf } from '../../packages/core/src/backend/partition-map.js'
import { spreadOf, type Spread } from './spread.js'

/** The key that everybody writes to. */
export const hotKey = 'hot'

/** An item that takes one unit. */
export const smallItem = { text: 'x'.repeat(200) }

const warmUpMs = 2_000
const measuredMs = 5_000

/** Where a run takes place. */
export interface Stage {
  readonly clock: FakeClock
  readonly random: Random
  readonly backend: Backend
}

/** What a way of writing is given. */
export interface Drive extends Stage {
  readonly callerCount: number
  /** A sort value that nobody has. */
  readonly nextSort: () => string
  readonly isOver: () => boolean
}

/** One way to write. */
export interface Writer {
  readonly name: string
  /** Whether it writes to the spread key, or to the one place that an unspread key has. */
  readonly isSpread: boolean
  /** Writes until it is over; answers with how many items were acknowledged. */
  readonly write: (drive: Drive) => Promise<number>
}

/** How a key stands and is written. */
export interface WritesOptions {
  readonly shardCount: number
  readonly partitionCount: number
  /** True: no two shards share a partition. False: wherever the hash puts them. */
  readonly isApart: boolean
  readonly callerCount: number
  /** One for each round. */
  readonly seeds: readonly number[]
}

/** Figures of one way. */
export interface WritesRow {
  readonly name: string
  /** Items a second of virtual time. */
  readonly perSecond: Spread
  /** Against the first way, in the same round. */
  readonly ratio: Spread
  /** Refused attempts for each item. */
  readonly throttles: Spread
  /** Partitions that the shards lie in. */
  readonly partitionsHit: Spread
}

type Outcome = Readonly<Record<'perSecond' | 'throttles' | 'partitionsHit', number>>

/** Has every writer write in every round, the first of whom is the baseline. */
export async function writesOn(writers: readonly Writer[], options: WritesOptions): Promise<WritesRow[]> {
  const rounds: Outcome[][] = []
  for (const seed of options.seeds) {
    const round: Outcome[] = []
    for (const writer of writers) round.push(await outcomeOf(writer, options, seed))
    rounds.push(round)
  }
  return writers.map(({ name }, i) => {
    const column = (figure: (outcome: Outcome, base: Outcome) => number) =>
      spreadOf(rounds.map((round) => figure(round[i] as Outcome, round[0] as Outcome)))
    return {
      name,
      perSecond: column(({ perSecond }) => perSecond),
      ratio: column(({ perSecond }, base) => perSecond / base.perSecond),
      throttles: column(({ throttles }) => throttles),
      partitionsHit: column(({ partitionsHit }) => partitionsHit),
    }
  })
}

async function outcomeOf(writer: Writer, options: WritesOptions, seed: number): Promise<Outcome> {
  const { partitionCount, callerCount } = options
  const clock = new FakeClock()
  const random = seededRandom(seed)
  const inner = memory({ clock })
  const shardCount = writer.isSpread ? options.shardCount : 1
  const places = await spreadPlaces({ clock, random, backend: inner }, shardCount)
  const layout = layoutFor(places, options, seed)
  const delayMs = { min: 2, max: 6 }
  const backend = new PartitionedBackend(inner, { clock, partitionCount, seed: layout, delayMs, random })
  let [isOver, sequence] = [false, 0]
  const nextSort = () => String((sequence += 1)).padStart(9, '0')
  const written = writer.write({ clock, random, backend, callerCount, nextSort, isOver: () => isOver })
  await clock.advance(warmUpMs)
  const before = backend.counters
  await clock.advance(measuredMs)
  const after = backend.counters
  isOver = true
  const acknowledged = await clock.run(written)
  const stored = await storedIn({ clock, random, backend: inner }, shardCount)
  if (stored !== acknowledged) throw new Error(`${writer.name}: ${acknowledged} acknowledged, ${stored} stored`)
  const units = after.unitsWritten - before.unitsWritten
  return {
    perSecond: units / (measuredMs / 1_000),
    throttles: (after.throttledAttempts - before.throttledAttempts) / units,
    partitionsHit: hitBy(places, partitionCount, layout),
  }
}

/** Has a key spread before anybody writes to it; answers with its places. */
async function spreadPlaces({ clock, random, backend }: Stage, shardCount: number): Promise<readonly string[]> {
  if (shardCount === 1) return [hotKey]
  const { collections } = backend
  if (collections === undefined) throw new Error('memory keeps collections')
  const places: string[] = []
  const page = collections.page.bind(collections)
  collections.page = (asked, call) => {
    places.push(placeOf(asked.shard))
    return page(asked, call)
  }
  const rules = [{ match: hotKey, fanout: shardCount }]
  const client = await clock.run(createClient({ backend, clock, random, sharding: { rules } }))
  const isSpread = new Promise<void>((resolve) => {
    client.on('route-changed', ({ key, write }) => {
      if (key === hotKey && write === shardCount) resolve()
    })
  })
  await clock.run(isSpread)
  await clock.run(client.collection('items').page(hotKey))
  await clock.run(client.close())
  collections.page = page
  if (places.length !== shardCount) throw new Error(`${hotKey} was read from ${places.length} shards`)
  return places
}

/** The seed of a layout: the first from the round's own on that fits. */
function layoutFor(places: readonly string[], { isApart, partitionCount }: WritesOptions, seed: number): number {
  const hitMin = isApart ? places.length : 1
  let layout = seed * 1_000_000
  while (hitBy(places, partitionCount, layout) < hitMin) layout += 1
  return layout
}

function hitBy(places: readonly string[], partitionCount: number, layout: number): number {
  return new Set(places.map((place) => partitionOf(place, partitionCount, layout))).size
}

async function storedIn({ clock, random, backend }: Stage, shardCount: number): Promise<number> {
  const client = await clock.run(createClient({ backend, clock, random, sharding: { fanoutMax: shardCount } }))
  const count = async () => {
    let items = 0
    for await (const _ of client.collection('items').iterate(hotKey)) items += 1
    return items
  }
  const stored = await clock.run(count())
  await clock.run(client.close())
  return stored
}
