// What write() and read() of cold keys cost beyond the backend call itself: 250 callers at a time, each with a key of its own
// that is a new string. Baseline: the backend of the client, called with requests that are there already, each answer
// awaited. A second row builds the request from the key, as anybody must who calls a backend. Below, what the stages of
// the path cost alone: they are measured apart, so that their sum is only near the whole.

import { createClient, type ShardsRead, type ShardWrite, sum } from '@spillway/core'

import { checkKey } from '../../packages/core/src/admission/key-check.js'
import { seededRandom } from '../../packages/core/src/chance/seeded-random.js'
import { Detection } from '../../packages/core/src/detection/detection.js'
import { Deferred } from '../../packages/core/src/internal/deferred.js'
import { SystemClock } from '../../packages/core/src/time/system-clock.js'
import { awaitedByEveryCaller, notAwaited } from '../lib/drivers.js'
import { keyTexts, newStrings } from '../lib/fresh-keys.js'
import { compare } from '../lib/report.js'
import type { Contender } from '../lib/rounds.js'
import { stubBackend } from '../lib/stub-backend.js'

const callerCount = 250
const options = { rounds: 61, batches: 10 }
const rules = { edits: sum() }
const fields = [{ name: 'edits', rule: rules.edits }]
const ownGeneration = { number: 0, nonce: 0 }
const call = { signal: new AbortController().signal }
/** So many that none comes often enough to turn hot. */
const keys = newStrings(keyTexts(500_000), callerCount)
const goal = { contender: 'Spillway', overNsMax: 500, overBytesMax: 600 }

/** Measures everything, prints it and returns it as plain data. */
export async function run(): Promise<unknown> {
  const comparisons = [
    await compare('write() of cold keys', [calledWrite(), builtWrite(), await coldWrite()], [goal], options),
    await compare('read() of cold keys', [calledRead(), builtRead(), await coldRead()], [goal], options),
    await compare('Stages alone, each over an empty call', stages(), [], options),
  ]
  return { callerCount, ...options, comparisons }
}

function calledWrite(): Contender {
  const { records } = stubBackend()
  const write: ShardWrite = {
    shard: { key: 'user:00004827100000001', index: 0, generation: ownGeneration },
    changes: [{ name: 'edits', rule: rules.edits, state: 1 }],
    stamp: { writer: 'writer', sequence: 1_800_000_000_000_000, forgetUpTo: 1_799_999_000_000_000 },
  }
  return { name: 'backend call', batch: awaitedByEveryCaller(() => records.write(write, call)), keys }
}

function builtWrite(): Contender {
  const { records } = stubBackend()
  let sequence = 1_800_000_000_000_000
  const write = (key: string, edits: number) =>
    records.write(
      {
        shard: { key, index: 0, generation: ownGeneration },
        changes: [{ name: 'edits', rule: rules.edits, state: edits }],
        stamp: { writer: 'writer', sequence: (sequence += 1), forgetUpTo: sequence - 1_000_000 },
      },
      call,
    )
  return { name: 'request built, backend call', batch: awaitedByEveryCaller((key) => write(key, 1)), keys }
}

async function coldWrite(): Promise<Contender> {
  const backend = stubBackend()
  const records = (await createClient({ backend })).records('edits', rules)
  return {
    name: 'Spillway',
    batch: awaitedByEveryCaller((key) => records.write(key, { edits: 1 })),
    keys,
    after: () => {
      if (backend.total % callerCount !== 0) throw new Error(`changes were lost or doubled: ${backend.total}`)
    },
  }
}

function calledRead(): Contender {
  const { records } = stubBackend()
  const read: ShardsRead = {
    shards: [{ key: 'user:00004827100000001', index: 0, generation: ownGeneration }],
    fields,
    consistency: 'strong',
  }
  return { name: 'backend call', batch: awaitedByEveryCaller(() => records.read(read, call)), keys }
}

function builtRead(): Contender {
  const { records } = stubBackend()
  const read = (key: string) =>
    records.read({ shards: [{ key, index: 0, generation: ownGeneration }], fields, consistency: 'strong' }, call)
  return { name: 'request built, backend call', batch: awaitedByEveryCaller((key) => read(key)), keys }
}

async function coldRead(): Promise<Contender> {
  const records = (await createClient({ backend: stubBackend() })).records('edits', rules)
  return { name: 'Spillway', batch: awaitedByEveryCaller((key) => records.read(key)), keys }
}

function stages(): Contender[] {
  const { capabilities } = stubBackend()
  const detectionOptions = {
    bytesMax: 65_536,
    halfLifeMs: 250,
    tickMs: 50,
    hotWritesPerSecond: 100,
    hotReadsPerSecond: 300,
    coolMs: 5_000,
  }
  const detection = new Detection(detectionOptions, seededRandom(1), 0)
  const clock = new SystemClock()
  const entries = new Map<string, string>()
  let kept: unknown
  const stage = (name: string, operate: (key: string) => unknown): Contender => ({
    name,
    batch: notAwaited(operate),
    keys,
    after: () => {
      for (const key of entries.keys()) entries.delete(key)
      if (kept === stage) throw new Error('keeps what was kept last from being optimised away')
    },
  })
  return [
    stage('empty call', () => undefined),
    stage('key check', (key) => checkKey(key, '', capabilities)),
    stage('detection: hash and count of a new string', (key) => detection.countWrites(key, 1)),
    stage('map look-up and entry', (key) => entries.get(key) ?? entries.set(key, key)),
    stage('promise with its two ends', () => (kept = new Deferred<void>())),
    stage('clock', () => (kept = clock.nowMs())),
    stage('object of six fields', (key) => (kept = { key, a: 1, b: 2, c: 3, d: 4, e: key })),
  ]
}
