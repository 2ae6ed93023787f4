// One hot key in DynamoDB, written by 1, 64 and 1,024 callers who all await. Beside UpdateItem ADD by the plain SDK, and the
// usual cure by hand: one of ten suffixes at random. The engine is dynalite in a process of its own, on a core of its own:
// about a thousand requests a second, and no limits of partitions, so that the suffixes have nothing to win here.

import { closeCounters, counterOn, countingPeer, withoutRest } from '../lib/counter.js'
import { backendOn, type DynamoPlace, dynamoPlace } from '../lib/dynamo-place.js'
import { startEngines } from '../lib/engine-process.js'
import { compareUnderLoad, type LoadGoal } from '../lib/load-report.js'
import type { Peer } from '../lib/load.js'

const callerCounts = [1, 64, 1_024]
const options = { rounds: 5, sliceMs: 400 }
const suffixCount = 10
const goals: readonly LoadGoal[] = [{ peer: 'Spillway, windowMs: 0', ratioMin: 500, cpuUsMax: 1 }]

/** Measures everything, prints it and returns it as plain data. */
export async function run(): Promise<unknown> {
  const engines = await startEngines('dynamodb')
  try {
    const peersFor = await contenders(await dynamoPlace(engines.addresses.dynamodb ?? ''))
    const tables = []
    for (const callerCount of callerCounts) {
      const title = `One hot key, DynamoDB (dynalite), ${callerCount.toLocaleString('en')} awaiting`
      const wanted = callerCount === 1_024 ? goals : []
      tables.push(await compareUnderLoad(title, peersFor(`hot:${callerCount}`), wanted, { callerCount, ...options }))
    }
    return { suffixCount, tables }
  } finally {
    await closeCounters()
    await engines.close()
  }
}

/** Connects every client once; answers with what makes their peers for a key. */
async function contenders(place: DynamoPlace): Promise<(key: string) => readonly Peer[]> {
  const [plain, suffixing, first, second, third] = [1, 2, 3, 4, 5].map(() => place.connect()) as Connections
  const spillway = await counterOn(backendOn(place, first), withoutRest)
  const withoutDedupe = await counterOn(backendOn(place, second), withoutRest, { dedupe: false })
  const byDefault = await counterOn(backendOn(place, third))
  return (key) => {
    const suffixed = Array.from({ length: suffixCount }, (_, i) => `${key}:suffixed:${i}`)
    const anySuffix = () => suffixed[Math.floor(Math.random() * suffixCount)] as string
    const one = { n: 1 }
    const own = (name: string) => `${key}:${name}`
    return [
      countingPeer(plain, 'UpdateItem ADD', [own('plain')], () => plain.add(own('plain'))),
      countingPeer(suffixing, 'UpdateItem ADD, ten suffixes by hand', suffixed, () => suffixing.add(anySuffix())),
      countingPeer(first, 'Spillway, windowMs: 0', [own('1')], () => spillway.write(own('1'), one)),
      countingPeer(second, 'the same, dedupe: false', [own('2')], () => withoutDedupe.write(own('2'), one)),
      countingPeer(third, 'Spillway, default windows of 100 ms', [own('3')], () => byDefault.write(own('3'), one)),
    ]
  }
}

type Connection = ReturnType<DynamoPlace['connect']>
type Connections = [Connection, Connection, Connection, Connection, Connection]
