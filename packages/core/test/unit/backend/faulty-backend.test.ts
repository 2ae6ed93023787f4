import { describe, expect, test } from 'vitest'
import type { Backend } from '../../../src/backend/backend.js'
import type { BackendError } from '../../../src/backend/backend-error.js'
import { FaultyBackend } from '../../../src/backend/faulty-backend.js'
import type { Faults } from '../../../src/backend/faults.js'
import { memory } from '../../../src/backend/memory-backend.js'
import { seededRandom } from '../../../src/chance/seeded-random.js'
import { FakeClock } from '../../../src/time/fake-clock.js'
import { refusalsOf } from '../../doubles/refusal.js'
import { absorbOf, add, call, contentsOf, ownShard, shardOf, stampOf, totalField, totalOf } from './requests.js'

const key = ownShard('k')

function faulty(faults: Faults, seed = 1): { backend: FaultyBackend; inner: Backend; clock: FakeClock } {
  const [inner, clock] = [memory(), new FakeClock()]
  return { backend: new FaultyBackend(inner, { clock, random: seededRandom(seed), faults }), inner, clock }
}

describe('refusals have no effect', () => {
  test.each([
    ['throttle', 'throttled', { throttled: 1 }],
    ['unavailable', 'unavailable', { unavailable: 1 }],
    ['loseRequest', 'unknown', { lostRequests: 1 }],
  ] as const)('%s', async (fault, kind, injected) => {
    const { backend, inner } = faulty({ [fault]: 1 })
    await expect(add(backend, key, 1)).rejects.toMatchObject({ code: 'BACKEND', kind })
    expect(await totalOf(inner, key)).toBeUndefined()
    expect(backend.injected).toMatchObject(injected)
  })

  test('a throttle carries the reason of its direction and names the key range', async () => {
    const { backend } = faulty({ throttle: 1 })
    await expect(add(backend, key, 1)).rejects.toMatchObject({
      throttle: { reason: 'TableWriteKeyRangeThroughputExceeded', scope: 'key-range' },
    })
    await expect(totalOf(backend, key)).rejects.toMatchObject({
      throttle: { reason: 'TableReadKeyRangeThroughputExceeded' },
    })
  })
})

test('a lost answer comes after the effect', async () => {
  const { backend, inner } = faulty({ loseAnswer: 1 })
  await expect(add(backend, key, 1)).rejects.toMatchObject({ kind: 'unknown' })
  await expect(totalOf(backend, key)).rejects.toMatchObject({ kind: 'unavailable' })
  expect(await totalOf(inner, key)).toBe(1)
  expect(backend.injected.lostAnswers).toBe(2)
})

test('a request takes its delay, with its effect somewhere inside', async () => {
  const { backend, inner, clock } = faulty({ delayMs: { min: 100, max: 100 } })
  let status = 'waiting'
  const writing = add(backend, key, 1).then((answer) => (status = answer))
  expect(await totalOf(inner, key)).toBeUndefined()
  await clock.advance(99)
  expect(await totalOf(inner, key)).toBe(1)
  expect(status).toBe('waiting')
  await clock.advance(1)
  expect(await writing).toBe('done')
  expect(backend.injected.delayed).toBe(1)
})

test('a second copy arrives later; a stamp makes it harmless, and without one it counts', async () => {
  const { backend, inner, clock } = faulty({ duplicateDelivery: 1, duplicateDelayMs: { min: 50, max: 50 } })
  expect(await add(backend, key, 1, stampOf('w', 1))).toBe('done')
  expect(await add(backend, key, 10)).toBe('done')
  expect(await totalOf(inner, key)).toBe(11)
  await clock.advance(50)
  expect(await totalOf(inner, key)).toBe(21)
  expect(backend.injected.duplicates).toBe(2)
})

test('a seal and an absorb are delivered twice as well, a read is not', async () => {
  const { backend, inner, clock } = faulty({ duplicateDelivery: 1 })
  const contents = await backend.records.seal(shardOf('k', 1), [totalField], call)
  await backend.records.absorb(absorbOf(key, shardOf('k', 1), { ...contents, states: [2] }), call)
  await contentsOf(backend, key)
  await clock.advance(1_000)
  expect(await totalOf(inner, key)).toBe(2)
  expect(backend.injected.duplicates).toBe(2)
})

describe('partial batches', () => {
  const shards = [key, shardOf('k', 1), shardOf('k', 2)]
  const read = { shards, fields: [totalField], consistency: 'strong' } as const

  test('the shards left out fail one by one, the others are read in their places', async () => {
    const { backend } = faulty({ partialBatch: ({ shards: [shard] }) => (shard?.index === 1 ? 1 : 0) })
    await add(backend, shardOf('k', 2), 5)
    const answers = await backend.records.read(read, call)
    expect(answers).toMatchObject([
      { status: 'read', states: [undefined] },
      { status: 'failed', error: { kind: 'throttled', throttle: { reason: 'UnprocessedKeys', scope: 'other' } } },
      { status: 'read', states: [5] },
    ])
    expect(backend.injected.unprocessedShards).toBe(1)
  })

  test('a read of which nothing is left is refused as a whole', async () => {
    const { backend } = faulty({ partialBatch: 1 })
    await expect(backend.records.read(read, call)).rejects.toMatchObject({ kind: 'throttled' })
  })

  test('a read of one shard is no batch', async () => {
    const { backend } = faulty({ partialBatch: 1 })
    expect(await totalOf(backend, key)).toBeUndefined()
  })
})

test('directory requests fail by their own chance, before or after they took effect', async () => {
  const { backend, inner } = faulty({ directory: 1, throttle: 1 })
  await expect(backend.directory.read(call)).rejects.toMatchObject({ kind: 'unavailable' })
  let version: string | undefined
  let effects = 0
  for (let i = 0; i < 40; i++) {
    await expect(backend.directory.swap(version, 'a', call)).rejects.toMatchObject({ kind: 'unknown' })
    const document = await inner.directory.read(call)
    if (document.version !== version) effects += 1
    version = document.version
  }
  expect(effects).toBeGreaterThan(5)
  expect(effects).toBeLessThan(35)
  expect(backend.injected).toMatchObject({ directory: 41, throttled: 0 })
})

test('faults can be changed while it runs, and healed', async () => {
  const { backend } = faulty({})
  expect(await add(backend, key, 1)).toBe('done')
  backend.faults = { throttle: ({ operation }) => (operation === 'write' ? 1 : 0) }
  await expect(add(backend, key, 1)).rejects.toMatchObject({ kind: 'throttled' })
  expect(await totalOf(backend, key)).toBe(1)
  backend.heal()
  expect(await add(backend, key, 1)).toBe('done')
})

test('without faults the promise of the backend inside is handed on', () => {
  const answer = Promise.resolve({ status: 'done' } as const)
  const inner = memory()
  inner.records.write = () => answer
  const backend = new FaultyBackend(inner)
  expect(backend.records.write({ shard: key, changes: [], stamp: undefined }, call)).toBe(answer)
})

describe('misuse', () => {
  const misspelt = { throtle: 1 } as Faults

  test('a fault that there is not, a chance that is none and a range that is none are refused, whenever they are set', async () => {
    const cases: Record<string, object> = {
      'unknown fault': misspelt,
      'chance above 1': { throttle: 50 },
      'chance NaN': { loseAnswer: Number.NaN },
      'chance a string': { directory: '0.5' },
      'delay a number': { delayMs: 5 },
      'delay without max': { delayMs: { min: 5 } },
      'delay below 0': { delayMs: { min: -1, max: 1 } },
      'delay upside down': { duplicateDelayMs: { min: 5, max: 1 } },
      'delay with more in it': { delayMs: { min: 1, max: 5, jitter: 2 } },
      'no object': [],
    }
    const refusals = await refusalsOf(cases, (faults) => new FaultyBackend(memory(), { faults }))
    expect(refusals).toMatchInlineSnapshot(`
      {
        "chance NaN": "INVALID_ARGUMENT: faults.loseAnswer must be a number from 0 to 1, or a function that gives one, but was NaN.",
        "chance a string": "INVALID_ARGUMENT: faults.directory must be a number from 0 to 1, or a function that gives one, but was "0.5".",
        "chance above 1": "INVALID_ARGUMENT: faults.throttle must be a number from 0 to 1, or a function that gives one, but was 50.",
        "delay a number": "INVALID_ARGUMENT: faults.delayMs must be an object, but was 5.",
        "delay below 0": "INVALID_ARGUMENT: faults.delayMs.min must be a finite number of at least 0, but was -1.",
        "delay upside down": "INVALID_ARGUMENT: faults.duplicateDelayMs.max must be at least faults.duplicateDelayMs.min = 5, but was 1.",
        "delay with more in it": "INVALID_ARGUMENT: faults.delayMs must be made of min, max, but was "jitter".",
        "delay without max": "INVALID_ARGUMENT: faults.delayMs.max must be a finite number of at least 0, but was undefined.",
        "no object": "INVALID_ARGUMENT: faults must be an object, but was an empty array.",
        "unknown fault": "INVALID_ARGUMENT: faults must be made of throttle, unavailable, loseRequest, loseAnswer, partialBatch, duplicateDelivery, directory, delayMs, duplicateDelayMs, but was "throtle".",
      }
    `)
    const backend = new FaultyBackend(memory())
    expect(await refusalsOf(cases, (faults) => (backend.faults = faults))).toEqual(refusals)
    expect(backend.faults).toEqual({})
  })

  test('options that make no sense are refused', async () => {
    const cases: Record<string, object> = {
      'unknown option': { fault: {} },
      'a clock that is none': { clock: {} },
      'a random that is none': { random: Math.random },
    }
    expect(await refusalsOf(cases, (options) => new FaultyBackend(memory(), options))).toMatchInlineSnapshot(`
      {
        "a clock that is none": "INVALID_ARGUMENT: clock must be an object with nowMs(), monotonicMs(), wallMs(), setTimer(), but was an object.",
        "a random that is none": "INVALID_ARGUMENT: random must be an object with next(), but was a function.",
        "unknown option": "INVALID_ARGUMENT: options must be made of clock, random, faults, but was "fault".",
      }
    `)
    expect(() => new FaultyBackend({ clock: new FakeClock() } as unknown as Backend)).toThrow('backend.name must be')
  })

  test('a chance that is computed must be one as well', async () => {
    const { backend, inner } = faulty({ throttle: () => 2 })
    await expect(add(backend, key, 1)).rejects.toMatchObject({ argument: 'faults.throttle(request)' })
    expect(await totalOf(inner, key)).toBeUndefined()
  })

  test('faults that were checked cannot be changed behind its back', async () => {
    const given: { throttle: number } = { throttle: 0 }
    const { backend } = faulty(given)
    given.throttle = 1
    expect(await add(backend, key, 1)).toBe('done')
  })
})

test("without options it runs on the machine's clock and chance", async () => {
  const backend = new FaultyBackend(memory(), { faults: { delayMs: { min: 1, max: 2 }, loseAnswer: 1 } })
  await expect(add(backend, key, 1)).rejects.toMatchObject({ kind: 'unknown' })
  expect(backend.injected).toMatchObject({ delayed: 1, lostAnswers: 1 })
})

/** How fifty writes end under a seed. */
async function outcomesOf(seed: number): Promise<readonly string[]> {
  const { backend } = faulty({ throttle: 0.3, loseAnswer: 0.3 }, seed)
  const outcomes: string[] = []
  for (let i = 0; i < 50; i++) {
    outcomes.push(await add(backend, key, 1).catch((error: unknown) => (error as BackendError).kind))
  }
  return outcomes
}

test('the same seed injects the same faults, another seed others', async () => {
  expect(await outcomesOf(3)).toEqual(await outcomesOf(3))
  expect(await outcomesOf(3)).not.toEqual(await outcomesOf(4))
})

test('it opens and closes the backend inside', async () => {
  const log: string[] = []
  const open = () => Promise.resolve(void log.push('open'))
  const close = () => Promise.resolve(void log.push('close'))
  const options = { clock: new FakeClock(), random: seededRandom(1), faults: { unavailable: 1 } }
  const backend = new FaultyBackend({ ...memory(), open, close }, options)
  await backend.open(call)
  await backend.close()
  await new FaultyBackend(memory(), options).open(call)
  expect(log).toEqual(['open', 'close'])
})
