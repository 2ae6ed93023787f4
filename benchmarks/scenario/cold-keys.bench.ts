// A thousand cold keys, written round by round by 64 callers: nothing to collapse, nothing to spread, so what is seen is what
// Spillway costs where it is of no use. Beside the plain client's write of the same number; all with default options.

import { closeCounters, counterOn, countingPeer } from '../lib/counter.js'
import * as dynamo from '../lib/dynamo-place.js'
import { startEngines } from '../lib/engine-process.js'
import { keyTexts } from '../lib/fresh-keys.js'
import { compareUnderLoad } from '../lib/load-report.js'
import type { Peer } from '../lib/load.js'
import * as redis from '../lib/redis-place.js'

const keyCount = 1_000
const options = { callerCount: 64, rounds: 15, sliceMs: 300 }
const goals = {
  dynamo: [{ peer: 'Spillway', ratioMin: 0.9 }],
  redis: [
    { peer: 'Spillway', ratioMin: 0.75 },
    { peer: 'Spillway, dedupe: false', ratioMin: 0.9 },
  ],
}

/** Measures everything, prints it and returns it as plain data. */
export async function run(): Promise<unknown> {
  const engines = await startEngines('dynamodb', 'redis', 'redis-cluster')
  try {
    const { dynamodb = '', redis: single = '', 'redis-cluster': cluster = '' } = engines.addresses
    const compare = async (where: string, peers: readonly Peer[], wanted: (typeof goals)['redis']) =>
      compareUnderLoad(`${keyCount.toLocaleString('en')} cold keys, ${where}`, peers, wanted, options)
    const tables = [
      await compare('DynamoDB (dynalite)', await onDynamo(await dynamo.dynamoPlace(dynamodb)), goals.dynamo),
    ]
    for (const place of [await redis.singleRedis(single), await redis.clusteredRedis(cluster)])
      tables.push(await compare(place.name, await onRedis(place), goals.redis))
    return { keyCount, tables }
  } finally {
    await closeCounters()
    await engines.close()
  }
}

async function onDynamo(place: dynamo.DynamoPlace): Promise<readonly Peer[]> {
  const [plain, own, other] = [place.connect(), place.connect(), place.connect()]
  const spillway = await counterOn(dynamo.backendOn(place, own))
  const withoutDedupe = await counterOn(dynamo.backendOn(place, other), {}, { dedupe: false })
  return [
    onEachKey(plain, 'UpdateItem ADD', (key) => plain.add(key)),
    onEachKey(own, 'Spillway', (key) => spillway.write(key, { n: 1 })),
    onEachKey(other, 'Spillway, dedupe: false', (key) => withoutDedupe.write(key, { n: 1 })),
  ]
}

async function onRedis(place: redis.RedisPlace): Promise<readonly Peer[]> {
  const plain = await place.ioredis()
  const spillway = await counterOn(redis.backendOf(await place.ioredis()))
  const withoutDedupe = await counterOn(redis.backendOf(await place.ioredis()), {}, { dedupe: false })
  return [
    onEachKey(place, 'ioredis HINCRBY', (key) => plain.hincrby(key, 'n', 1)),
    onEachKey(place, 'ioredis INCR', (key) => plain.incr(key)),
    onEachKey(place, 'Spillway', (key) => spillway.write(key, { n: 1 })),
    onEachKey(place, 'Spillway, dedupe: false', (key) => withoutDedupe.write(key, { n: 1 })),
  ]
}

/** A peer that goes round keys of its own. */
function onEachKey(
  counted: Parameters<typeof countingPeer>[0],
  name: string,
  write: (key: string) => Promise<unknown>,
): Peer {
  const keys = keyTexts(keyCount).map((text) => `${name}:${text}`)
  let next = 0
  return countingPeer(counted, name, keys, () => write(keys[next++ % keyCount] as string))
}
