// One hot key in Redis, single and cluster, written by 1, 64 and 1,024 callers who all await. Beside ioredis, alone and with
// autopipelining, node-redis (which pipelines by itself) and the usual cure by hand: one of ten suffixes at random. With
// default options a hot key is written every 100 ms, and whoever awaits waits for that: few writes, and few callers served.

import { startEngines } from '../lib/engine-process.js'
import { closeCounters, counterOn, countingPeer, withoutRest } from '../lib/counter.js'
import { compareUnderLoad, type LoadGoal } from '../lib/load-report.js'
import type { Peer } from '../lib/load.js'
import { backendOf, clusteredRedis, type RedisPlace, singleRedis } from '../lib/redis-place.js'

const callerCounts = [1, 64, 1_024]
const options = { rounds: 7, sliceMs: 200 }
const suffixCount = 10
const goals: readonly LoadGoal[] = [{ peer: 'Spillway, windowMs: 0', ratioMin: 20, cpuUsMax: 1 }]

/** Measures everything, prints it and returns it as plain data. */
export async function run(): Promise<unknown> {
  const engines = await startEngines('redis', 'redis-cluster')
  try {
    const { redis = '', 'redis-cluster': cluster = '' } = engines.addresses
    const tables = []
    for (const place of [await singleRedis(redis), await clusteredRedis(cluster)]) {
      const peersFor = await contenders(place)
      for (const callerCount of callerCounts) {
        const title = `One hot key, ${place.name}, ${callerCount.toLocaleString('en')} awaiting`
        const wanted = callerCount === 1_024 ? goals : []
        tables.push(await compareUnderLoad(title, peersFor(`hot:${callerCount}`), wanted, { callerCount, ...options }))
      }
    }
    return { suffixCount, tables }
  } finally {
    await closeCounters()
    await engines.close()
  }
}

/** Connects every client once; answers with what makes their peers for a key. */
async function contenders(place: RedisPlace): Promise<(key: string) => readonly Peer[]> {
  const plain = await place.ioredis()
  const pipelining = await place.ioredis({ enableAutoPipelining: true })
  const nodeRedis = await place.nodeRedis()
  const spillway = await counterOn(backendOf(await place.ioredis()), withoutRest)
  const withoutDedupe = await counterOn(backendOf(await place.ioredis()), withoutRest, { dedupe: false })
  const byDefault = await counterOn(backendOf(await place.ioredis()))
  return (key) => {
    const peer = (name: string, operate: (own: string) => Promise<unknown>, keys?: readonly string[]) => {
      const own = `${key}:${name}`
      return countingPeer(place, name, keys ?? [own], () => operate(own))
    }
    const suffixed = Array.from({ length: suffixCount }, (_, i) => `${key}:suffixed:${i}`)
    const anySuffix = () => suffixed[Math.floor(Math.random() * suffixCount)] as string
    return [
      peer('ioredis INCR', (own) => plain.incr(own)),
      peer('ioredis HINCRBY', (own) => plain.hincrby(own, 'n', 1)),
      peer('ioredis INCR, ten suffixes by hand', () => plain.incr(anySuffix()), suffixed),
      peer('ioredis INCR, autopipelining', (own) => pipelining.incr(own)),
      peer('node-redis INCR', (own) => nodeRedis.incr(own)),
      peer('Spillway, windowMs: 0', (own) => spillway.write(own, { n: 1 })),
      peer('the same, dedupe: false', (own) => withoutDedupe.write(own, { n: 1 })),
      peer('Spillway, default windows of 100 ms', (own) => byDefault.write(own, { n: 1 })),
    ]
  }
}
