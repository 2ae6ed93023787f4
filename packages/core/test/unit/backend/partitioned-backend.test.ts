import { describe, expect, test } from 'vitest'
import type { Backend, WriteAnswer } from '../../../src/backend/backend.js'
import { memory } from '../../../src/backend/memory-backend.js'
import { PartitionedBackend } from '../../../src/backend/partitioned-backend.js'
import type { PartitionedOptions } from '../../../src/backend/partitioned-options.js'
import type { AnyRule } from '../../../src/merge/merge-rule.js'
import { union } from '../../../src/merge/union.js'
import type { ShardRef } from '../../../src/operation.js'
import { FakeClock } from '../../../src/time/fake-clock.js'
import { refusalsOf } from '../../doubles/refusal.js'
import { absorbOf, add, call, ownShard, shardOf, totalField, totalOf } from './requests.js'

function partitioned(options: Omit<PartitionedOptions, 'clock'> = {}, inner: Backend = memory()) {
  const clock = new FakeClock()
  return { clock, backend: new PartitionedBackend(inner, { clock, ...options }) }
}

/** Sends so many requests at once; answers with how many were served. */
async function served(count: number, send: (i: number) => Promise<unknown>): Promise<number> {
  const outcomes = await Promise.allSettled(Array.from({ length: count }, (_, i) => send(i)))
  return outcomes.filter(({ status }) => status === 'fulfilled').length
}

function readOf(shards: readonly ShardRef[], consistency: 'strong' | 'eventual' = 'strong') {
  return { shards, fields: [totalField], consistency }
}

const key = ownShard('k')

describe('on demand', () => {
  test('a partition serves 1,000 writes a second and says that a key range exceeded its throughput', async () => {
    const { backend, clock } = partitioned()
    expect(await served(1_500, () => add(backend, key, 1))).toBe(1_000)
    await expect(add(backend, key, 1)).rejects.toMatchObject({
      kind: 'throttled',
      throttle: { reason: 'TableWriteKeyRangeThroughputExceeded', resource: 'table/simulated', scope: 'key-range' },
    })
    await clock.advance(100)
    expect(await served(500, () => add(backend, key, 1))).toBe(100)
    expect(await totalOf(backend, key)).toBe(1_100)
    expect(backend.counters).toMatchObject({
      writeRequests: 2_001,
      unitsWritten: 1_100,
      throttledAttempts: 901,
      throttled: { TableWriteKeyRangeThroughputExceeded: 901 },
    })
  })

  test('a partition serves 3,000 strong reads a second, or twice as many eventual ones', async () => {
    const { backend, clock } = partitioned()
    expect(await served(4_000, () => backend.records.read(readOf([key]), call))).toBe(3_000)
    await clock.advance(1_000)
    expect(await served(7_000, () => backend.records.read(readOf([key], 'eventual'), call))).toBe(6_000)
    expect(backend.counters).toMatchObject({ readRequests: 11_000, unitsRead: 6_000, unitsWritten: 0 })
    await expect(totalOf(backend, key)).rejects.toMatchObject({
      throttle: { reason: 'TableReadKeyRangeThroughputExceeded' },
    })
  })

  test('nothing is saved up beyond a second: burst capacity does not lift the cap', async () => {
    const { backend, clock } = partitioned()
    await clock.advance(600_000)
    expect(await served(2_000, () => add(backend, key, 1))).toBe(1_000)
  })

  test('shards of one key lie in several partitions, so four of them carry more', async () => {
    const { backend } = partitioned()
    const shards = Array.from({ length: 16 }, (_, i) => (i === 0 ? key : shardOf('k', i)))
    expect(await served(6_000, (i) => add(backend, shards[i % 16] as ShardRef, 1))).toBeGreaterThan(2_500)
    expect(backend.counters.partitions.map(({ writes }) => writes).every((writes) => writes > 0)).toBe(true)
  })

  test('utilisation is what was used over about a second', async () => {
    const { backend, clock } = partitioned({ partitionCount: 1 })
    await served(500, () => add(backend, key, 1))
    expect(backend.counters.partitions[0]?.writeUtilisation).toBeCloseTo(0.5)
    await clock.advance(1_500)
    expect(backend.counters.partitions[0]?.writeUtilisation).toBeCloseTo(0.25)
    await clock.advance(1_000)
    expect(backend.counters.partitions[0]?.writeUtilisation).toBe(0)
  })
})

describe('provisioned', () => {
  const mode = { writeUnitsPerSecond: 400, readUnitsPerSecond: 400 }

  test('a hot partition may use all that the table has, and no more', async () => {
    const { backend } = partitioned({ mode })
    expect(backend.capabilities.partition).toEqual({ writeUnitsPerSecond: 400, readUnitsPerSecond: 400 })
    expect(await served(600, () => add(backend, key, 1))).toBe(400)
    await expect(add(backend, key, 1)).rejects.toMatchObject({
      throttle: { reason: 'TableWriteProvisionedThroughputExceeded', scope: 'other' },
    })
  })

  test('without adaptive capacity a partition keeps to its share', async () => {
    const { backend } = partitioned({ mode: { ...mode, isAdaptive: false } })
    expect(await served(600, () => add(backend, key, 1))).toBe(100)
  })

  test('300 seconds of unused capacity are saved up, and spent at no more than the cap of a partition', async () => {
    const { backend, clock } = partitioned({
      partitionCount: 1,
      mode: { writeUnitsPerSecond: 10, readUnitsPerSecond: 10 },
    })
    await clock.advance(1_000_000)
    let writes = await served(2_000, () => add(backend, key, 1))
    expect(writes).toBe(1_000)
    for (let second = 0; second < 5; second++) {
      await clock.advance(1_000)
      writes += await served(2_000, () => add(backend, key, 1))
    }
    expect(writes).toBe(10 * (300 + 1 + 5))
  })

  test('savings to begin with can be given', async () => {
    const { backend } = partitioned({ mode: { writeUnitsPerSecond: 10, readUnitsPerSecond: 10, savedSeconds: 30 } })
    expect(await served(600, () => add(backend, key, 1))).toBe(310)
  })

  test('the cap of a partition is asked before the table', async () => {
    const { backend } = partitioned({ mode: { writeUnitsPerSecond: 9_000, readUnitsPerSecond: 9_000 } })
    expect(await served(1_200, () => add(backend, key, 1))).toBe(1_000)
    expect(backend.counters.throttled).toEqual({ TableWriteKeyRangeThroughputExceeded: 200 })
  })
})

describe('sizes', () => {
  const tags = { name: 'tags', rule: union() as AnyRule }

  test('a write takes a unit for each started KB, and what the item is larger than the change is charged after the fact', async () => {
    const { backend } = partitioned({ partitionCount: 1 })
    const write = (tag: string) =>
      backend.records.write({ shard: key, changes: [{ ...tags, state: new Set([tag]) }], stamp: undefined }, call)
    expect((await write('a'.repeat(5_000))).units).toBe(5)
    expect((await write('b')).units).toBe(5)
    expect(backend.counters.unitsWritten).toBe(10)
    const read = { shards: [key], fields: [tags], consistency: 'strong' } as const
    expect(await backend.records.read(read, call)).toMatchObject([{ units: 2 }])
    expect(await backend.records.read({ ...read, consistency: 'eventual' }, call)).toMatchObject([{ units: 1 }])
    expect(backend.counters.unitsRead).toBe(3)
  })

  test('bytes of the application in the same item count', async () => {
    const { backend } = partitioned({ itemOverheadBytes: 4_096 })
    await add(backend, key, 1)
    await totalOf(backend, key)
    expect(backend.counters).toMatchObject({ unitsWritten: 5, unitsRead: 2 })
  })

  test('a backend that tells no units is measured by what is seen', async () => {
    const inner = memory()
    inner.records.write = () => Promise.resolve<WriteAnswer>({ status: 'done' })
    inner.records.read = () => Promise.resolve([{ status: 'read', states: [new Set(['a'.repeat(9_000)])] } as const])
    const { backend } = partitioned({}, inner)
    expect(
      (await backend.records.write({ shard: key, changes: [{ ...totalField, state: 1 }], stamp: undefined }, call))
        .units,
    ).toBe(1)
    const read = { shards: [key], fields: [tags], consistency: 'strong' } as const
    expect(await backend.records.read(read, call)).toMatchObject([{ units: 3 }])
  })
})

/** Two partitions: that of `key` cannot pay another read, that of `elsewhere` can. Which shard lies there is found by trying. */
async function withOneEmptyPartition() {
  const world = partitioned({ partitionCount: 2, readUnitsPerSecond: 2 })
  const { backend } = world
  await Promise.all([backend.records.read(readOf([key]), call), backend.records.read(readOf([key]), call)])
  for (let i = 1; ; i++) {
    const reads = backend.counters.partitions.map((partition) => partition.reads)
    await backend.records.read(readOf([shardOf('k', i)]), call).catch(() => undefined)
    const after = backend.counters.partitions.map((partition) => partition.reads)
    const isElsewhere = reads.some((count, partition) => count === 0 && (after[partition] ?? 0) > 0)
    if (isElsewhere) return { ...world, elsewhere: shardOf('k', i) }
  }
}

describe('reads of several shards', () => {
  test('what cannot be paid is left unprocessed, the rest is read in its place', async () => {
    const { backend, elsewhere } = await withOneEmptyPartition()
    const answers = await backend.records.read(readOf([key, elsewhere]), call)
    expect(answers).toMatchObject([
      { status: 'failed', error: { kind: 'throttled', throttle: { reason: 'UnprocessedKeys' } } },
      { status: 'read' },
    ])
    expect(backend.counters.throttled.TableReadKeyRangeThroughputExceeded).toBeGreaterThan(0)
  })

  test('a read is refused with a reason when none of its shards can be paid', async () => {
    const { backend } = await withOneEmptyPartition()
    await expect(backend.records.read(readOf([key, key]), call)).rejects.toMatchObject({
      throttle: { reason: 'TableReadKeyRangeThroughputExceeded' },
    })
  })
})

describe('other requests', () => {
  test('seals and absorbs are writes', async () => {
    const { backend, clock } = partitioned({ partitionCount: 1, writeUnitsPerSecond: 2 })
    const contents = await backend.records.seal(shardOf('k', 1), [totalField], call)
    await backend.records.absorb(absorbOf(key, shardOf('k', 1), contents), call)
    expect(backend.counters).toMatchObject({ writeRequests: 2, unitsWritten: 2 })
    await expect(backend.records.seal(key, [totalField], call)).rejects.toMatchObject({ kind: 'throttled' })
    await expect(backend.records.absorb(absorbOf(key, key, contents), call)).rejects.toMatchObject({
      kind: 'throttled',
    })
    await clock.advance(1_000)
    expect(await add(backend, key, 1)).toBe('done')
  })

  test('the directory is counted, and throttled only if asked for', async () => {
    const { backend } = partitioned({ writeUnitsPerSecond: 1 })
    for (let i = 0; i < 5; i++) await backend.directory.swap(i === 0 ? undefined : String(i), 'a', call)
    expect(await backend.directory.read(call)).toMatchObject({ version: '5' })
    expect(backend.counters).toMatchObject({ directoryRequests: 6, writeRequests: 0, unitsWritten: 0 })

    const strict = partitioned({ writeUnitsPerSecond: 1, throttlesDirectory: true }).backend
    await strict.directory.swap(undefined, 'a', call)
    await expect(strict.directory.swap('1', 'b', call)).rejects.toMatchObject({ kind: 'throttled' })
    expect(strict.counters).toMatchObject({ directoryRequests: 2, unitsWritten: 1 })
  })

  test('it opens and closes the backend inside', async () => {
    const log: string[] = []
    const open = () => Promise.resolve(void log.push('open'))
    const close = () => Promise.resolve(void log.push('close'))
    const { backend } = partitioned({}, { ...memory(), open, close })
    await backend.open(call)
    await backend.close()
    await partitioned().backend.open(call)
    expect(log).toEqual(['open', 'close'])
  })
})

test('answers and refusals take the delay that is given', async () => {
  const { backend, clock } = partitioned({ writeUnitsPerSecond: 1, delayMs: { min: 10, max: 15 } })
  const outcomes: string[] = []
  for (let i = 0; i < 2; i++)
    void add(backend, key, 1).then(
      (status) => outcomes.push(status),
      () => outcomes.push('refused'),
    )
  await clock.advance(9)
  expect(outcomes).toEqual([])
  await clock.advance(6)
  expect(outcomes.toSorted()).toEqual(['done', 'refused'])
})

test("without options it is a table of four partitions on the machine's clock", async () => {
  const backend = new PartitionedBackend(memory())
  expect(await served(1_500, () => add(backend, key, 1))).toBeLessThan(1_500)
  expect(backend.counters.partitions).toHaveLength(4)
})

test('options that make no sense are refused', async () => {
  const rates = { writeUnitsPerSecond: 1, readUnitsPerSecond: 1 }
  const cases: Record<string, object> = {
    'an unknown option': { partition: 4 },
    'no partition': { partitionCount: 0 },
    'half a seed': { seed: 0.5 },
    'no writes': { writeUnitsPerSecond: 0 },
    'reads NaN': { readUnitsPerSecond: Number.NaN },
    'bytes below 0': { itemOverheadBytes: -1 },
    'delay below 0': { delayMs: { min: -1, max: 0 } },
    'delay upside down': { delayMs: { min: 2, max: 1 } },
    'delay by jitter': { delayMs: { base: 1, jitter: 1 } },
    'unknown mode': { mode: 'provisioned' },
    'mode without writes': { mode: { ...rates, writeUnitsPerSecond: 0 } },
    'mode with an unknown option': { mode: { ...rates, adaptive: false } },
    'mode that saves too much': { mode: { ...rates, savedSeconds: 301 } },
    'mode that may be adaptive': { mode: { ...rates, isAdaptive: 'no' } },
    'a flag that is none': { throttlesDirectory: 1 },
    'a clock that is none': { clock: Date },
    'a random that is none': { random: Math.random },
    'an array': [],
  }
  expect(await refusalsOf(cases, (options) => new PartitionedBackend(memory(), options))).toMatchInlineSnapshot(`
    {
      "a clock that is none": "INVALID_ARGUMENT: clock must be an object with nowMs(), monotonicMs(), wallMs(), setTimer(), but was a function.",
      "a flag that is none": "INVALID_ARGUMENT: throttlesDirectory must be true or false, but was 1.",
      "a random that is none": "INVALID_ARGUMENT: random must be an object with next(), but was a function.",
      "an array": "INVALID_ARGUMENT: options must be an object, but was an empty array.",
      "an unknown option": "INVALID_ARGUMENT: options must be made of clock, partitionCount, seed, random, mode, writeUnitsPerSecond, readUnitsPerSecond, itemOverheadBytes, delayMs, throttlesDirectory, but was "partition".",
      "bytes below 0": "INVALID_ARGUMENT: itemOverheadBytes must be a finite number of at least 0, but was -1.",
      "delay below 0": "INVALID_ARGUMENT: delayMs.min must be a finite number of at least 0, but was -1.",
      "delay by jitter": "INVALID_ARGUMENT: delayMs must be made of min, max, but was "base".",
      "delay upside down": "INVALID_ARGUMENT: delayMs.max must be at least delayMs.min = 2, but was 1.",
      "half a seed": "INVALID_ARGUMENT: seed must be a whole number, but was 0.5.",
      "mode that may be adaptive": "INVALID_ARGUMENT: mode.isAdaptive must be true or false, but was "no".",
      "mode that saves too much": "INVALID_ARGUMENT: mode.savedSeconds must be from 0 to 300, but was 301.",
      "mode with an unknown option": "INVALID_ARGUMENT: mode must be made of writeUnitsPerSecond, readUnitsPerSecond, savedSeconds, isAdaptive, but was "adaptive".",
      "mode without writes": "INVALID_ARGUMENT: mode.writeUnitsPerSecond must be a number above 0, but was 0.",
      "no partition": "INVALID_ARGUMENT: partitionCount must be a positive whole number, but was 0.",
      "no writes": "INVALID_ARGUMENT: writeUnitsPerSecond must be a number above 0, but was 0.",
      "reads NaN": "INVALID_ARGUMENT: readUnitsPerSecond must be a number above 0, but was NaN.",
      "unknown mode": "INVALID_ARGUMENT: mode must be 'onDemand' or a provisioned throughput, but was "provisioned".",
    }
  `)
  expect(() => new PartitionedBackend({ partitionCount: 4 } as unknown as Backend)).toThrow('backend.name must be')
})
