import { describe, expect, test } from 'vitest'
import type { Backend, ShardAnswer, WriteAnswer } from '../../../src/backend/backend.js'
import { BackendError } from '../../../src/backend/backend-error.js'
import { checkReadAnswers, checkWriteAnswer, guardBackend, unitsOf } from '../../../src/backend/guarded-backend.js'
import { memory } from '../../../src/backend/memory-backend.js'
import { absorbOf, adding, call, ownShard, shardOf, totalField } from './requests.js'

const write = { shard: ownShard('k'), changes: adding(1), stamp: undefined }
const read = { shards: [ownShard('k')], fields: [totalField], consistency: 'strong' } as const

/** A backend that counts how often it is opened and closed, and fails the first `failures` openings. */
function counted(failures = 0): Backend & { readonly log: string[] } {
  const log: string[] = []
  return {
    ...memory(),
    log,
    async open() {
      log.push('open')
      await Promise.resolve()
      if (log.length <= failures) throw new Error('not yet')
    },
    async close() {
      log.push('close')
      await Promise.resolve()
    },
  }
}

describe('opening and closing', () => {
  test('callers of one guard, and all guards of one backend, share one opening and one closing', async () => {
    const backend = counted()
    const [a, b] = [guardBackend(backend), guardBackend(backend)]
    await Promise.all([a.open(call), a.open(call), b.open(call)])
    expect(backend.log).toEqual(['open'])
    await Promise.all([a.close(), a.close()])
    expect(backend.log).toEqual(['open'])
    await b.close()
    expect(backend.log).toEqual(['open', 'close'])
  })

  test('an opening that failed may be tried again', async () => {
    const backend = counted(1)
    const guarded = guardBackend(backend)
    await expect(guarded.open(call)).rejects.toMatchObject({ code: 'BACKEND', kind: 'unknown' })
    await guarded.open(call)
    await guarded.close()
    expect(backend.log).toEqual(['open', 'open', 'close'])
  })

  test('what never opened is not closed', async () => {
    const backend = counted(1)
    await guardBackend(backend).close()
    const guarded = guardBackend(backend)
    await expect(guarded.open(call)).rejects.toThrow('not yet')
    await guarded.close()
    expect(backend.log).toEqual(['open'])
  })

  test('who comes while the last one leaves waits until it is closed, and opens it again', async () => {
    const backend = counted()
    const first = guardBackend(backend)
    await first.open(call)
    const closing = first.close()
    while (!backend.log.includes('close')) await Promise.resolve()
    const second = guardBackend(backend)
    await Promise.all([second.open(call), closing])
    expect(backend.log).toEqual(['open', 'close', 'open'])
  })

  test('a close waits for no opening that is under way, which may never end; what opens for nobody is closed then', async () => {
    const { backend, openings, log } = slow()
    const [a, b] = [guardBackend(backend), guardBackend(backend)]
    const opening = Promise.all([a.open(call), b.open(call)])
    await Promise.all([a.close(), b.close()])
    expect(log).toEqual(['open'])
    openings[0]?.resolve()
    await opening
    await settled()
    expect(log).toEqual(['open', 'close'])
    await guardBackend(backend).open(call)
    expect(log).toEqual(['open', 'close', 'open'])
  })

  test('what opens late stays open while anybody else uses it', async () => {
    const { backend, openings, log } = slow()
    const [gone, staying] = [guardBackend(backend), guardBackend(backend)]
    const opening = Promise.all([gone.open(call), staying.open(call)])
    await gone.close()
    openings[0]?.resolve()
    await opening
    await settled()
    expect(log).toEqual(['open'])
    await staying.close()
    expect(log).toEqual(['open', 'close'])
  })

  test('who left while it opened is counted out once, also when the opening fails', async () => {
    const { backend, openings, log } = slow()
    const [gone, other] = [guardBackend(backend), guardBackend(backend)]
    const opening = gone.open(call)
    await gone.close()
    openings[0]?.reject(new Error('not yet'))
    await expect(opening).rejects.toThrow('not yet')
    await other.open(call)
    await other.close()
    expect(log).toEqual(['open', 'open', 'close'])
  })

  test('a backend without open and close needs none', async () => {
    const guarded = guardBackend(memory())
    await guarded.open(call)
    await expect(guarded.close()).resolves.toBeUndefined()
  })
})

/** A backend whose first opening lasts until the test ends it. */
function slow() {
  const log: string[] = []
  const openings: { resolve(): void; reject(error: unknown): void }[] = []
  const backend: Backend = {
    ...memory(),
    open() {
      log.push('open')
      if (openings.length > 0) return Promise.resolve()
      return new Promise((resolve, reject) => openings.push({ resolve, reject }))
    },
    close() {
      log.push('close')
      return Promise.resolve()
    },
  }
  return { backend, openings, log }
}

/** Lets what is ready run. */
async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve()
}

describe('requests', () => {
  test('a promise of the backend is handed on as it is', () => {
    const backend = memory()
    const answer = Promise.resolve<WriteAnswer>({ status: 'done' })
    const answers = Promise.resolve<readonly ShardAnswer[]>([])
    const records = { ...backend.records, write: () => answer, read: () => answers }
    const guarded = guardBackend({ ...backend, records: { ...stubs(), ...records } })
    expect(guarded.records.write(write, call)).toBe(answer)
    expect(guarded.records.read(read, call)).toBe(answers)
  })

  test('what a backend throws becomes a rejection that says nobody knows', async () => {
    const guarded = guardBackend({ ...memory(), records: stubs(), directory: { read: fail, swap: fail } })
    const contents = { status: 'read', states: [1] } as const
    const requests = [
      guarded.records.write(write, call),
      guarded.records.read(read, call),
      guarded.records.seal(write.shard, [totalField], call),
      guarded.records.absorb(absorbOf(write.shard, shardOf('k', 1), contents), call),
      guarded.directory.read(call),
      guarded.directory.swap(undefined, 'a', call),
    ]
    for (const request of requests) await expect(request).rejects.toMatchObject({ code: 'BACKEND', kind: 'unknown' })
  })

  test('an error of the contract stays as it is', async () => {
    const error = new BackendError('rejected', 'no')
    const directory = { read: () => Promise.reject(error), swap: () => Promise.reject(error) }
    await expect(guardBackend({ ...memory(), directory }).directory.read(call)).rejects.toBe(error)
  })

  test('malformed answers of rarer requests are found here', async () => {
    const directory = { read: () => resolved({ text: 'a' }), swap: () => resolved(3) }
    const records = { ...stubs(), seal: () => resolved({ status: 'read', states: [] }) }
    const guarded = guardBackend({ ...memory(), directory, records })
    await expect(guarded.directory.read(call)).rejects.toThrow(
      'text and version, or with neither, but answered an object with text.',
    )
    await expect(guarded.directory.swap(undefined, 'a', call)).rejects.toMatchObject({ kind: 'unknown' })
    await expect(guarded.records.seal(write.shard, [totalField], call)).rejects.toThrow('1 states')
  })
})

describe('the checks for whoever awaits the answer', () => {
  test.each([undefined, null, 'done', {}, { status: 'ok' }])('a write answered with %j may be in', (answer) => {
    expect(() => checkWriteAnswer(answer as WriteAnswer)).toThrow(
      'must answer a write with a status of done, sealed or expired',
    )
    expect(kindOf(() => checkWriteAnswer(answer as WriteAnswer))).toBe('unknown')
  })

  test.each([undefined, NaN, 1.5, '7'])('an expired write with %j for forgottenUpTo may be in', (forgottenUpTo) => {
    const answer = { status: 'expired', forgottenUpTo } as WriteAnswer
    expect(() => checkWriteAnswer(answer)).toThrow('must answer an expired write with forgottenUpTo, a safe integer')
    expect(kindOf(() => checkWriteAnswer(answer))).toBe('unknown')
  })

  test.each([
    [undefined],
    [[]],
    [[{ status: 'read', states: [] }]],
    [[{ status: 'read' }]],
    [[undefined]],
    [[{ status: 'read', states: [1], absorbed: 3 }]],
    [[{ status: 'read', states: [1], otherFields: 'views' }]],
  ])('a read of one shard and field answered with %j is no answer', (answers) => {
    expect(kindOf(() => checkReadAnswers(answers as unknown as ShardAnswer[], read))).toBe('unavailable')
  })

  test('good answers pass', () => {
    const done = { status: 'done' } as const
    expect(checkWriteAnswer(done)).toBe(done)
    const expired = { status: 'expired', forgottenUpTo: 7 } as const
    expect(checkWriteAnswer(expired)).toBe(expired)
    const answers: ShardAnswer[] = [{ status: 'read', states: [undefined] }]
    expect(checkReadAnswers(answers, read)).toBe(answers)
    expect(checkReadAnswers([{ status: 'failed', error: new Error('no') }], read)).toHaveLength(1)
  })
})

test.each([
  [0.5, 0.5],
  [0, 0],
  [undefined, undefined],
  [NaN, undefined],
  [Infinity, undefined],
  [-1, undefined],
  ['3', undefined],
])('of units told as %j, %j are counted', (units, counted) => {
  expect(unitsOf({ units: units as number })).toBe(counted)
})

describe('what is no backend', () => {
  const { capabilities } = memory()

  test.each<[string, unknown, string]>([
    ['nothing', undefined, 'backend must be a Backend, such as memory(), but was undefined.'],
    ['no name', { ...memory(), name: '' }, 'backend.name must be a name, but was "".'],
    ['no records', { ...memory(), records: undefined }, 'backend.records.write must be a function'],
    ['half a directory', { ...memory(), directory: { read: fail } }, 'backend.directory.swap must be a function'],
    ['an open that is no function', { ...memory(), open: 3 }, 'backend.open must be a function, but was 3.'],
    ['no limits', { ...memory(), capabilities: undefined }, 'backend.capabilities must be'],
    [
      'a limit of 0',
      limited({ keyBytesMax: 0 }),
      'backend.capabilities.keyBytesMax must be a number of at least 1, but was 0.',
    ],
    ['no partition', limited({ partition: undefined }), 'backend.capabilities.partition.writeUnitsPerSecond must be'],
    [
      'an integer limit that is no bigint',
      limited({ integerMax: 5 }),
      'integerMax must be a positive bigint, but was 5.',
    ],
    ['magnitudes from 0', limited({ magnitudes: { least: 0, most: 5 } }), 'least must be a number above 0 and up to 1'],
    [
      'magnitudes without an end',
      limited({ magnitudes: { least: 0.5 } }),
      'backend.capabilities.magnitudes.most must be a finite number of at least 1, but was undefined.',
    ],
    ['magnitudes that are null', limited({ magnitudes: null }), 'magnitudes.least must be'],
    [
      'room for no conditional field',
      limited({ conditionalFieldsMax: 0 }),
      'backend.capabilities.conditionalFieldsMax must be a number of at least 1, but was 0.',
    ],
    ['no mark', limited({ reservedMark: '' }), 'reservedMark must be a text that is not empty'],
  ])('%s is refused', (_, backend, message) => {
    expect(() => guardBackend(backend as Backend)).toThrow(message)
  })

  function limited(changed: object): unknown {
    return { ...memory(), capabilities: { ...capabilities, ...changed } }
  }
})

function fail(): never {
  throw new Error('thrown')
}

function stubs(): Backend['records'] {
  return { write: fail, read: fail, seal: fail, absorb: fail, clear: fail }
}

function resolved(answer: unknown): Promise<never> {
  return Promise.resolve(answer as never)
}

function kindOf(check: () => unknown): string | undefined {
  try {
    check()
    return undefined
  } catch (error) {
    return (error as BackendError).kind
  }
}
