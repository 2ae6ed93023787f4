// What gathering 64 shards costs by how they are asked for: one backend batch; one by one with at most 16 under way, by
// p-limit as in the core or by a loop of ten lines; all at once. The backend answers after a microtask, so that what is
// seen is the running and not the network. An operation is a shard. Below, the same by read() of a key of 64 shards.

import pLimit from 'p-limit'

import { type Batch, awaitedByEveryCaller } from '../lib/drivers.js'
import { keyTexts, newStrings, sameString } from '../lib/fresh-keys.js'
import { compare } from '../lib/report.js'
import type { Contender } from '../lib/rounds.js'
import { spreadKey } from '../lib/spread-key.js'

const shardCount = 64
const concurrencyMax = 16
const options = { rounds: 41, batches: 200 }
const shards = newStrings(keyTexts(shardCount), shardCount)
const answer = Promise.resolve(1)

/** Measures everything, prints it and returns it as plain data. */
export async function run(): Promise<unknown> {
  const runners = [unbounded(), bounded(), loop(), batch()]
  const comparisons = [
    await compare(`${shardCount} shards, an operation a shard`, runners, [], options),
    await compare(`read() of a key of ${shardCount} shards, an operation a read`, await gathers(), [], options),
  ]
  return { shardCount, concurrencyMax, ...options, comparisons }
}

/** Stands for a backend that is asked for one shard, and for one that is asked for many. */
const readOne = (_shard: string) => answer
const readMany = (asked: readonly string[]) => Promise.resolve(asked.map(() => 1))

function contender(name: string, read: (asked: readonly string[]) => Promise<readonly number[]>): Contender {
  const gather: Batch = async (asked) => (await read(asked)).reduce((total, one) => total + one, 0)
  return { name, batch: gather, keys: shards }
}

function unbounded(): Contender {
  return contender('all at once, Promise.all', (asked) => Promise.all(asked.map((shard) => readOne(shard))))
}

function bounded(): Contender {
  return contender(`p-limit, ${concurrencyMax} under way`, (asked) => {
    const limit = pLimit(concurrencyMax)
    return Promise.all(asked.map((shard) => limit(() => readOne(shard))))
  })
}

function loop(): Contender {
  return contender(`own loop, ${concurrencyMax} under way`, async (asked) => {
    const answers = asked.map(() => 0)
    let next = 0
    const worker = async () => {
      for (let i = next++; i < asked.length; i = next++) answers[i] = await readOne(asked[i] as string)
    }
    await Promise.all(Array.from({ length: concurrencyMax }, worker))
    return answers
  })
}

function batch(): Contender {
  return contender('one batch', readMany)
}

async function gathers(): Promise<Contender[]> {
  const asked = sameString('hot', 1)
  const of = async (name: string, shardsPerReadMax: number, concurrency: number): Promise<Contender> => {
    const records = await spreadKey('hot', shardCount, shardsPerReadMax, concurrency)
    return { name, batch: awaitedByEveryCaller((key) => records.read(key)), keys: asked }
  }
  return [
    await of('one batch', shardCount, concurrencyMax),
    await of(`one by one, ${concurrencyMax} under way`, 1, concurrencyMax),
    await of('one by one, all at once', 1, shardCount),
  ]
}
