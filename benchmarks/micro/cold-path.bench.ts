// What write() and read() of cold keys cost beyond the backend call itself: 250 callers at a time, each with a key of its own
// that is a new string. Baseline: the backend of the client, called with requests that are there already, each answer
// awaited. A second row builds the request from the key, as anybody must who calls a backend. Below, what the stages of
// the path cost alone: they are measured apart, so that their sum is only near the whole.

import { createClient, ownGeneration, type ShardsRead, type ShardWrite, sum } from '@spillway/core'

import { checkKey } from '../../packages/core/src/admission/key-check.js'
import { seededRandom } from '../../packages/core/src/chance/seeded-random.js'
import { Detection } from '../../packages/core/src/detection/detection.js'
import { Deferred } from '../../packages/core/src/internal/deferred.js'
import { RecordShape } from '../../packages/core/src/merge/record-shape.js'
import { SystemClock } from '../../packages/core/src/time/system-clock.js'
import { awaitedByEveryCaller, notAwaited } from '../lib/drivers.js'
import { keyTexts, newStrings } from '../lib/fresh-keys.js'
import { compare } from '../lib/report.js'
import type { Contender } from '../lib/rounds.js'
import { stubBackend } from '../lib/stub-backend.js'

const callerCount = 250
/** The defaults for a partition of 1,000 writes and 3,000 reads a second. */
const detectionOptions = {
  bytesMax: 65_536,
  halfLifeMs: 250,
  tickMs: 50,
  hotWritesPerSecond: 100,
  hotReadsPerSecond: 300,
  coolMs: 5_000,
}
const options = { rounds: 41, batches: 100 }
const rules = { edits: sum() }
const fields = [{ name: 'edits', rule: rules.edits }]
const call = { signal: new AbortController().signal }
/** So many that none comes often enough to turn hot. */
const keys = newStrings(keyTexts(500_000), callerCount)
const goal = { contender: 'Spillway', overNsMax: 500, overBytesMax: 600 }

/** Measures everything, prints it and returns it as plain data. */
export async function run(): Promise<unknown> {
  const comparisons = [
    await compare('write() of cold keys', [calledWrite(), builtWrite(), await coldWrite()], [goal], options),
    await compare('read() of cold keys', [calledRead(), builtRead(), await coldRead()], [goal], options),
    await compare('Stages of the path alone, each over an empty call', stages(), [], options),
  ]
  return { callerCount, ...options, comparisons }
}

function calledWrite(): Contender {
  const { records } = stubBackend()
  const write = requestFor('user:00004827100000001', 1, 1_800_000_000_000_000)
  return { name: 'backend call', batch: awaitedByEveryCaller(() => records.write(write, call)), keys }
}

function builtWrite(): Contender {
  const { records } = stubBackend()
  let sequence = 1_800_000_000_000_000
  const write = (key: string, edits: number) => records.write(requestFor(key, edits, (sequence += 1)), call)
  return { name: 'request built, backend call', batch: awaitedByEveryCaller((key) => write(key, 1)), keys }
}

function requestFor(key: string, edits: number, sequence: number): ShardWrite {
  return {
    shard: { key, index: 0, generation: ownGeneration },
    changes: [{ name: 'edits', rule: rules.edits, state: edits }],
    stamp: { writer: 'writer', sequence, forgetUpTo: sequence - 300_000_000 },
  }
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

/** One batch of each stage, as often as a write or a read goes through it. */
function stages(): Contender[] {
  const { capabilities, records } = stubBackend()
  const detection = new Detection({ ...detectionOptions }, seededRandom(1), 0)
  const shape = new RecordShape('edits', rules)
  const clock = new SystemClock()
  const stamps = { next: () => ({ timeMs: 0, order: 0, writer: '' }), writer: '' }
  const context = { field: '', stamps, integerMax: capabilities.integerMax }
  const entries = new Map<string, string>(keys().map((key) => [key, key]))
  const done = records.write(requestFor('user:00004827100000001', 1, 1), call)
  const { held, hold } = holder()
  const stage = (name: string, operate: (key: string) => unknown): Contender => ({
    name,
    batch: notAwaited(operate),
    keys,
    after: held,
  })
  return [
    stage('empty call', () => undefined),
    stage('key check', (key) => checkKey(key, '', capabilities)),
    stage('map: look up a new string, set, delete', (key) => turnOver(entries, key)),
    stage('change merged into new states', () => {
      const states = [undefined]
      shape.mergeInto(states, { edits: 1 }, context, 1_000)
      hold(states)
    }),
    stage('detection: logical write, is it hot, request', (key) => {
      detection.countWrites(key, 1)
      hold(detection.isHot(key))
      detection.countWriteRequests(key, 1, 1)
    }),
    stage('clock.nowMs(), once a write and twice a read', () => hold(clock.nowMs())),
    stage('clock.wallMs(), once a write', () => hold(clock.wallMs())),
    stage("promise with its two ends, the caller's", () => hold(new Deferred<void>())),
    stage('request with its stamp', (key) => hold(requestFor(key, 1, Date.now()))),
    stage("two handlers on the backend's promise", (key) =>
      done.then(
        () => hold(key),
        () => hold(done),
      ),
    ),
  ]
}

/** Enters a key and takes out the oldest of them, so that there are always as many as there are callers. */
function turnOver(entries: Map<string, string>, key: string): void {
  if (entries.get(key) !== undefined) return
  entries.set(key, key)
  for (const oldest of entries.keys()) {
    entries.delete(oldest)
    return
  }
}

/** Keeps the last thing it was given, so that making it is not optimised away. */
function holder() {
  let last: unknown
  return {
    hold: (given: unknown) => {
      last = given
    },
    held: () => {
      if (last === holder) throw new Error('nobody holds this')
    },
  }
}
