import { describe, expect, test } from 'vitest'
import { createClient, memory } from '../../../src/index.js'
import { FakeClock, seededRandom } from '../../../src/testing.js'
import { refusalsOf } from '../../doubles/refusal.js'
import { ScriptedBackend } from '../../doubles/scripted-backend.js'

/** Opens a client; when it is refused, sees to it that nothing was asked of the backend. */
async function open(options: object): Promise<void> {
  const backend = new ScriptedBackend(memory())
  const given = { backend, clock: new FakeClock(), random: seededRandom(1), ...options }
  try {
    const client = await createClient(given)
    await client.close()
  } catch (error) {
    if (backend.openCount + backend.requestCount > 0) throw new Error('refused after requests', { cause: error })
    throw error
  }
}

const bounded = {
  collapse: { windowMs: [0, 60_000] },
  detection: {
    bytesMax: [4_096, 67_108_864],
    halfLifeMs: [10, 600_000],
    tickMs: [5, 1_000],
    hotWritesPerSecond: [0.001, 1e9],
    hotReadsPerSecond: [0.001, 1e9],
    coolMs: [0, 86_400_000],
  },
  gather: { concurrencyMax: [1, 1_024], shardTimeoutMs: [1, 600_000] },
  limits: {
    keysMax: [1, 10_000_000],
    bytesMax: [1, Number.MAX_SAFE_INTEGER],
    waitersMax: [0, 10_000_000],
    requestTimeoutMs: [1, 600_000],
    writeTimeoutMs: [1, 86_400_000],
    clockSkewMaxMs: [0, 86_400_000],
  },
  routing: { directoryBytesMax: [1_024, 262_144] },
  sharding: { targetUtilization: [0.01, 1], fanoutMax: [1, 1_024] },
} as const

const wholes = ['bytesMax', 'concurrencyMax', 'keysMax', 'waitersMax', 'directoryBytesMax']

const bounds = Object.entries(bounded).flatMap(([section, options]) =>
  Object.entries(options as Record<string, readonly [number, number]>).map(([option, [least, most]]) => ({
    section,
    option,
    least,
    most,
  })),
)

/** What an option needs beside it at its bound. */
const company: Readonly<Record<string, object>> = {
  requestTimeoutMs: { routing: { retryHorizonMs: 86_400_000, sealRetentionMs: 172_800_000 } },
  writeTimeoutMs: { routing: { retryHorizonMs: 86_400_000, sealRetentionMs: 172_800_000 } },
}

describe.each(bounds)('the option $option of $section', ({ section, option, least, most }) => {
  test('is taken at both its bounds and refused beyond them', async () => {
    for (const value of [least, most]) {
      const store = memory()
      const options = { backend: store, clock: new FakeClock(), random: seededRandom(1), ...company[option] }
      const atBound = option === 'writeTimeoutMs' && value === most ? value - 1 : value
      const beside = option === 'requestTimeoutMs' ? { writeTimeoutMs: 600_000 } : {}
      const client = await createClient({ ...options, [section]: { [option]: atBound, ...beside } })
      await client.close()
    }
    const step = Number.isInteger(least) ? 1 : least / 2
    const beyond = [least - step, most * 2, Number.NaN, Number.POSITIVE_INFINITY, String(least), null, [least]]
    for (const value of beyond)
      await expect(open({ [section]: { [option]: value } })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        argument: `${section}.${option}`,
        message: expect.stringMatching(
          new RegExp(`^${section}\\.${option} must be .*${least} to .*, but was `),
        ) as string,
      })
  })

  test('is a whole number where it counts', async () => {
    const refusals = await refusalsOf({ half: least + 0.5 }, (value) => open({ [section]: { [option]: value } }).then())
    expect(refusals['half']?.includes('INVALID_ARGUMENT')).toBe(wholes.includes(option) || option === 'fanoutMax')
  })
})

test('options that are out of bounds are refused by name, bound and value', async () => {
  const cases = {
    'windowMs -1': { collapse: { windowMs: -1 } },
    'windowMs a string': { collapse: { windowMs: '100' } },
    'keysMax 1.5': { limits: { keysMax: 1.5 } },
    'atLimit unknown': { limits: { atLimit: 'drop' } },
    'consistency unknown': { consistency: 'weak' },
    'fanoutMax no power of two': { sharding: { fanoutMax: 3 } },
    'targetUtilization 0': { sharding: { targetUtilization: 0 } },
    'refreshMs 0': { routing: { refreshMs: 0 } },
  }
  expect(await refusalsOf(cases, open)).toMatchInlineSnapshot(`
    {
      "atLimit unknown": "INVALID_ARGUMENT: limits.atLimit must be 'wait' or 'reject', but was "drop".",
      "consistency unknown": "INVALID_ARGUMENT: consistency must be 'strong' or 'eventual', but was "weak".",
      "fanoutMax no power of two": "INVALID_ARGUMENT: sharding.fanoutMax must be a power of two from 1 to 1024, but was 3.",
      "keysMax 1.5": "INVALID_ARGUMENT: limits.keysMax must be a whole number from 1 to 10000000, but was 1.5.",
      "refreshMs 0": "INVALID_ARGUMENT: routing.refreshMs must be a number from 1 to 3600000, but was 0.",
      "targetUtilization 0": "INVALID_ARGUMENT: sharding.targetUtilization must be a number from 0.01 to 1, but was 0.",
      "windowMs -1": "INVALID_ARGUMENT: collapse.windowMs must be a number from 0 to 60000, but was -1.",
      "windowMs a string": "INVALID_ARGUMENT: collapse.windowMs must be a number from 0 to 60000, but was "100".",
    }
  `)
})

test('options that conflict are refused', async () => {
  const cases = {
    'refresh as long as the lease': { routing: { refreshMs: 3_000 } },
    'lease as long as the retry horizon': { routing: { leaseMs: 300_000 } },
    'retry horizon as long as the retention': { routing: { retryHorizonMs: 86_400_000 } },
    'a request that outlives its write': { limits: { requestTimeoutMs: 501, writeTimeoutMs: 500 } },
    'writes given up after the retry horizon': { limits: { writeTimeoutMs: 300_000 } },
    'a rule beyond fanoutMax': { sharding: { fanoutMax: 4, rules: [{ match: 'a', fanout: 8 }] } },
    'a rule where nothing is spread': { sharding: { fanoutMax: 1, rules: [{ match: 'a', fanout: 2 }] } },
  }
  expect(await refusalsOf(cases, open)).toMatchInlineSnapshot(`
    {
      "a request that outlives its write": "INVALID_ARGUMENT: limits.requestTimeoutMs must be at most limits.writeTimeoutMs = 500, but was 501.",
      "a rule beyond fanoutMax": "INVALID_ARGUMENT: sharding.rules[0].fanout must be a power of two from 2 to 4, but was 8.",
      "a rule where nothing is spread": "INVALID_ARGUMENT: sharding.rules[0].fanout must be a power of two from 2 to 1, but was 2.",
      "lease as long as the retry horizon": "INVALID_ARGUMENT: routing.leaseMs must be less than routing.retryHorizonMs = 300000, but was 300000.",
      "refresh as long as the lease": "INVALID_ARGUMENT: routing.refreshMs must be less than routing.leaseMs = 3000, but was 3000.",
      "retry horizon as long as the retention": "INVALID_ARGUMENT: routing.retryHorizonMs must be less than routing.sealRetentionMs = 86400000, but was 86400000.",
      "writes given up after the retry horizon": "INVALID_ARGUMENT: limits.writeTimeoutMs must be less than routing.retryHorizonMs = 300000, but was 300000.",
    }
  `)
})

test('misspelt and misplaced options are refused', async () => {
  const cases = {
    'unknown section': { colapse: {} },
    'unknown option': { collapse: { windowMS: 5 } },
    'a section that is no object': { limits: 5 },
    'a section that is an array': { gather: [] },
    'a section that is null': { routing: null },
    'rules that are no array': { sharding: { rules: { match: 'a', fanout: 2 } } },
    'a rule that is no object': { sharding: { rules: ['a'] } },
    'a rule without a match': { sharding: { rules: [{ fanout: 2 }] } },
    'a rule for no key of the backend': { sharding: { rules: [{ match: 'k'.repeat(3_000), fanout: 2 }] } },
    "a rule for a key of Spillway's own": { sharding: { rules: [{ match: 'a~spillway~b', fanout: 2 }] } },
    'a rule for the empty key': { sharding: { rules: [{ match: '', fanout: 2 }] } },
    'a rule without a fanout': { sharding: { rules: [{ match: 'a' }] } },
    'a rule of fanout 1': { sharding: { rules: [{ match: 'a', fanout: 1 }] } },
    'a RegExp that remembers': { sharding: { rules: [{ match: /a/g, fanout: 2 }] } },
    'a rule with more in it': { sharding: { rules: [{ match: 'a', fanout: 2, weight: 1 }] } },
  }
  expect(await refusalsOf(cases, open)).toMatchInlineSnapshot(`
    {
      "a RegExp that remembers": "INVALID_ARGUMENT: sharding.rules[0].match must be a RegExp without the flags g and y, but was "g". They make a RegExp remember where it stopped.",
      "a rule for a key of Spillway's own": "INVALID_ARGUMENT: sharding.rules[0].match must be a string without "~spillway~", which marks the places of shards, but was "a~spillway~b".",
      "a rule for no key of the backend": "INVALID_ARGUMENT: sharding.rules[0].match must be at most 2008 bytes of UTF-8, but was "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"… (3000 characters). It takes 3000.",
      "a rule for the empty key": "INVALID_ARGUMENT: sharding.rules[0].match must be a key or a RegExp, but was "".",
      "a rule of fanout 1": "INVALID_ARGUMENT: sharding.rules[0].fanout must be a power of two from 2 to 64, but was 1.",
      "a rule that is no object": "INVALID_ARGUMENT: sharding.rules[0] must be an object, but was "a".",
      "a rule with more in it": "INVALID_ARGUMENT: sharding.rules[0] must be made of match, fanout, but was "weight".",
      "a rule without a fanout": "INVALID_ARGUMENT: sharding.rules[0].fanout must be a power of two from 2 to 64, but was undefined.",
      "a rule without a match": "INVALID_ARGUMENT: sharding.rules[0].match must be a key or a RegExp, but was undefined.",
      "a section that is an array": "INVALID_ARGUMENT: gather must be an object, but was an empty array.",
      "a section that is no object": "INVALID_ARGUMENT: limits must be an object, but was 5.",
      "a section that is null": "INVALID_ARGUMENT: routing must be an object, but was null.",
      "rules that are no array": "INVALID_ARGUMENT: sharding.rules must be an array of { match, fanout }, but was an object.",
      "unknown option": "INVALID_ARGUMENT: collapse must be made of windowMs, but was "windowMS".",
      "unknown section": "INVALID_ARGUMENT: options must be made of backend, collapse, detection, routing, sharding, gather, limits, consistency, clock, random, spool, but was "colapse".",
    }
  `)
})

test('what is no backend, no clock and no source of chance is refused', async () => {
  const { name, capabilities, records, directory } = memory()
  const cases = {
    'no backend': { backend: undefined },
    'a backend that is a string': { backend: 'memory' },
    'a backend without capabilities': { backend: { name, records, directory } },
    'a backend without a partition': {
      backend: { name, records, directory, capabilities: { ...capabilities, partition: undefined } },
    },
    'a backend without a name': { backend: { capabilities, records, directory } },
    'a backend that cannot read': { backend: { name, capabilities, directory, records: { write: () => undefined } } },
    'a backend without a directory': { backend: { name, capabilities, records } },
    'a clock without timers': { clock: { nowMs: () => 0, monotonicMs: () => 0, wallMs: () => 0 } },
    'a clock that is null': { clock: null },
    'a source of chance that draws nothing': { random: {} },
    'a source of chance that is a function': { random: () => 0 },
  }
  expect(await refusalsOf(cases, open)).toMatchInlineSnapshot(`
    {
      "a backend that cannot read": "INVALID_ARGUMENT: backend.records.read must be a function, but was undefined.",
      "a backend that is a string": "INVALID_ARGUMENT: backend must be a Backend, such as memory(), but was "memory".",
      "a backend without a directory": "INVALID_ARGUMENT: backend.directory.read must be a function, but was undefined.",
      "a backend without a name": "INVALID_ARGUMENT: backend.name must be a name, but was undefined.",
      "a backend without a partition": "INVALID_ARGUMENT: backend.capabilities.partition.writeUnitsPerSecond must be a number of at least 1, but was undefined.",
      "a backend without capabilities": "INVALID_ARGUMENT: backend.capabilities must be the limits of the store, but was undefined.",
      "a clock that is null": "INVALID_ARGUMENT: clock must be an object with nowMs(), monotonicMs(), wallMs(), setTimer(), but was null.",
      "a clock without timers": "INVALID_ARGUMENT: clock must be an object with nowMs(), monotonicMs(), wallMs(), setTimer(), but was an object.",
      "a source of chance that draws nothing": "INVALID_ARGUMENT: random must be an object with next(), but was an object.",
      "a source of chance that is a function": "INVALID_ARGUMENT: random must be an object with next(), but was a function.",
      "no backend": "INVALID_ARGUMENT: backend must be a Backend, such as memory(), but was undefined.",
    }
  `)
})

test('undefined is as good as absent', async () => {
  const client = await createClient({
    backend: memory(),
    clock: new FakeClock(),
    random: seededRandom(1),
    ...({ collapse: undefined, limits: { keysMax: undefined }, sharding: { rules: undefined } } as object),
  })
  await client.close()
  await expect(createClient(undefined as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  await expect(createClient(null as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
})
