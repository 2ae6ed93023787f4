// New items under one hot key, on partitions of 1,000 write units a second (PartitionedBackend around memory, in virtual
// time), by so many callers that far more is offered than gets through. The plain client puts to the one partition that an
// unspread key has, three attempts as AWS's SDK makes them. The key was spread before; no two of its shards share a partition,
// as once a real table has split where it is hot. The last table shows what the hash alone gives: shards that share a
// partition bound each other, and callers who wait for the slowest bound all.

import { type Collection, createClient, isBackendError, ownGeneration } from '@spillway/core'

import {
  type Drive,
  hotKey,
  smallItem,
  type Writer,
  type WritesOptions,
  type WritesRow,
  writesOn,
} from '../lib/partitioned-writes.js'
import { printTable } from '../lib/print-table.js'
import { showSpread } from '../lib/spread.js'

const shardCounts = [1, 4, 16]
const partitionCount = 64
const callersPerShard = 32
const seeds = [1, 2, 3]
/** Times the number of shards. */
const ratioPerShardMin = 0.9

/** One table: ways side by side, the first of which is the baseline. */
export interface WritesTable extends WritesOptions {
  readonly title: string
  readonly rows: readonly WritesRow[]
  readonly goals: readonly { readonly peer: string; readonly ratioMin: number }[]
}

/** Measures everything, prints it and returns it as plain data. */
export async function run(): Promise<unknown> {
  const tables: WritesTable[] = []
  for (const shardCount of shardCounts) tables.push(await compareWrites(shardCount, true))
  tables.push(await compareWrites(16, false))
  return { callersPerShard, tables }
}

async function compareWrites(shardCount: number, isApart: boolean): Promise<WritesTable> {
  const options = { shardCount, partitionCount, isApart, callerCount: callersPerShard * shardCount, seeds }
  const shards = `${shardCount} ${shardCount === 1 ? 'shard' : 'shards'}`
  const title = isApart ? `${shards}, each in a partition of its own` : `${shards}, wherever the hash puts them`
  const ratioMin = ratioPerShardMin * shardCount
  const goals = isApart
    ? [
        { peer: 'put', ratioMin },
        { peer: 'putMany, append only', ratioMin },
      ]
    : []
  const table = { title, ...options, rows: await writesOn(writers, options), goals }
  printWrites(table)
  return table
}

const writers: readonly Writer[] = [
  { name: 'plain put', isSpread: false, write: plainPuts },
  { name: 'put', isSpread: true, write: puts },
  { name: 'putMany, append only', isSpread: true, write: appends },
]

async function plainPuts({
  backend: { collections },
  clock,
  random,
  callerCount,
  nextSort,
  isOver,
}: Drive): Promise<number> {
  const { signal } = new AbortController()
  let acknowledged = 0
  const caller = async () => {
    while (!isOver()) {
      const shard = { key: hotKey, index: 0, generation: ownGeneration }
      const put = {
        shard,
        sort: nextSort(),
        value: smallItem,
        stamp: { timeMs: clock.wallMs(), order: 0, writer: 'plain' },
      }
      for (let attempt = 1; attempt <= attemptsMax; attempt++) {
        try {
          await collections?.put(put, { signal })
          acknowledged += 1
          break
        } catch (error) {
          if (!isBackendError(error) || error.kind !== 'throttled') throw error
          await new Promise<void>((resolve) =>
            clock.setTimer(resolve, random.next() * delayBaseMs * 2 ** (attempt - 1)),
          )
        }
      }
    }
  }
  await Promise.all(Array.from({ length: callerCount }, caller))
  return acknowledged
}

/** As AWS's SDKs do by default, for DynamoDB: docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html. */
const attemptsMax = 3
const delayBaseMs = 25

async function puts(drive: Drive): Promise<number> {
  const { callerCount, nextSort, isOver } = drive
  return withItems(drive, async (items) => {
    let acknowledged = 0
    const caller = async () => {
      while (!isOver()) {
        await items.put(hotKey, nextSort(), smallItem)
        acknowledged += 1
      }
    }
    await Promise.all(Array.from({ length: callerCount }, caller))
    return acknowledged
  })
}

/** One caller; so many items are on their way at a time as there are callers of the others. */
async function appends(drive: Drive): Promise<number> {
  const { callerCount, nextSort, isOver } = drive
  const given = { appendOnly: true, concurrencyMax: Math.ceil(callerCount / itemsPerAppend) }
  return withItems(drive, async (items) => {
    let acknowledged = 0
    while (!isOver()) {
      const batch = Array.from({ length: callerCount * 10 }, () => ({ sort: nextSort(), item: smallItem }))
      const outcomes = await items.putMany(hotKey, batch, given)
      acknowledged += outcomes.filter(({ status }) => status === 'written').length
    }
    return acknowledged
  })
}

/** As many as a BatchWriteItem takes. */
const itemsPerAppend = 25

async function withItems(
  { backend, clock, random, callerCount }: Drive,
  use: (items: Collection<typeof smallItem>) => Promise<number>,
): Promise<number> {
  const fanoutMax = callerCount / callersPerShard
  const client = await createClient({ backend, clock, random, sharding: { fanoutMax } })
  const acknowledged = await use(client.collection<typeof smallItem>('items'))
  await client.close()
  return acknowledged
}

function printWrites({ title, rows, goals }: WritesTable): void {
  console.log(`\n${title}`)
  console.log('median (min–max) of the rounds; seconds are virtual')
  const lines = rows.map(({ name, perSecond, ratio, throttles, partitionsHit }) => [
    name,
    perSecond.median.toFixed(0),
    showSpread(ratio, 2),
    showSpread(throttles, 2),
    showSpread(partitionsHit, 0),
  ])
  printTable(['', 'items/s', 'ratio', 'throttles/item', 'partitions'], lines)
  for (const { peer, ratioMin } of goals) {
    const median = rows.find(({ name }) => name === peer)?.ratio.median ?? Number.NaN
    const verdict = median >= ratioMin ? 'met' : 'MISSED'
    console.log(`  ${peer}: ratio ${median.toFixed(2)}, goal ≥ ${ratioMin.toFixed(1)}: ${verdict}`)
  }
}
