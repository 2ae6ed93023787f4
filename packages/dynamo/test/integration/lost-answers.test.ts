import { createClient, isSpillwayError, max, sum } from '@spillway/core'
import { dynamo } from '@spillway/dynamo'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { startBehind, type Behind } from '../fixtures/engine.js'
import { call, change, field, own, stamp } from '../fixtures/records.js'
import { newTable } from '../fixtures/tables.js'

const total = field('total', sum())
const lost = { errorAfterEffect: 0.15, resetAfterEffect: 0.15, resetBeforeEffect: 0.05, operations: ['UpdateItem'] }
let behind: Behind

beforeAll(async () => {
  behind = await startBehind({ seed: 20_261_122 })
})

afterEach(() => {
  behind.gateway.faults = {}
})

afterAll(() => behind.close())

/** Sends one write until it is answered, as the core does. */
async function untilDone(write: () => Promise<{ status: string }>): Promise<void> {
  for (;;) {
    const answer = await write().catch(() => undefined)
    if (answer?.status === 'done') return
  }
}

describe('when answers are lost and the SDK sends again by itself', () => {
  test.each([1, 3, 5])('with %i attempts of the SDK no write counts twice', async (maxAttempts) => {
    const client = behind.client({ maxAttempts })
    const table = await newTable(behind.direct)
    const { records } = dynamo({ client, table })
    behind.gateway.faults = lost
    const before = behind.gateway.lostAnswerCount
    const writers = Array.from({ length: 5 }, async (_, writer) => {
      for (let n = 1; n <= 12; n++) {
        const write = { shard: own('k'), changes: [change(total, 1)], stamp: stamp(`w${writer}`, n) }
        await untilDone(() => records.write(write, call))
      }
    })
    await Promise.all(writers)
    expect(behind.gateway.lostAnswerCount - before).toBeGreaterThan(5)
    behind.gateway.faults = {}
    const [contents] = await records.read({ shards: [own('k')], fields: [total], consistency: 'strong' }, call)
    expect(contents).toMatchObject({ states: [60] })
  })

  test('without a number they do count twice: the loss is real', async () => {
    const client = behind.client({ maxAttempts: 5 })
    const { records } = dynamo({ client, table: await newTable(behind.direct) })
    behind.gateway.faults = { ...lost, errorAfterEffect: 0.5 }
    for (let n = 1; n <= 10; n++) {
      await records
        .write({ shard: own('k'), changes: [change(total, 1)], stamp: undefined }, call)
        .catch(() => undefined)
    }
    behind.gateway.faults = {}
    const [contents] = await records.read({ shards: [own('k')], fields: [total], consistency: 'strong' }, call)
    expect(contents?.status === 'read' && contents.states[0]).toBeGreaterThan(10)
  })

  test('a swap of the directory whose first copy won is answered with its version', async () => {
    const client = behind.client({ maxAttempts: 5 })
    const { directory } = dynamo({ client, table: await newTable(behind.direct) })
    behind.gateway.faults = { ...lost, errorAfterEffect: 0.4 }
    let [version, swaps]: [string | undefined, number] = [undefined, 0]
    for (let i = 0; i < 25; i++) {
      const next: string | undefined = await directory.swap(version, `text ${i}`, call).catch(() => 'unknown')
      expect(next).toBeDefined() // nobody else swaps, so none is ever lost to another
      version = (await directory.read(call)).version
      expect(next === 'unknown' ? version : next).toBe(version)
      if (next !== 'unknown') swaps += 1
    }
    expect(swaps).toBeGreaterThan(10)
  })

  test('whole clients keep every acknowledged write, once', async () => {
    const { read, acknowledged, unknown } = await storm({ dedupe: true })
    expect(read).toBeGreaterThanOrEqual(acknowledged)
    expect(read).toBeLessThanOrEqual(acknowledged + unknown)
    expect(acknowledged).toBeGreaterThan(380)
  })

  test('and where dedupe is left out the same test finds writes that count twice', async () => {
    const { read, acknowledged, unknown } = await storm({ dedupe: false })
    expect(read).toBeGreaterThan(acknowledged + unknown)
  })
})

/** Two clients write four keys while answers are lost. Answers with what was acknowledged, and what is there. */
async function storm(options: { readonly dedupe: boolean }) {
  const table = await newTable(behind.direct)
  const open = (maxAttempts: number) =>
    createClient({
      backend: dynamo({ client: behind.client({ maxAttempts }), table }),
      collapse: { windowMs: 10 },
      limits: { writeTimeoutMs: 8_000 },
    })
  const clients = await Promise.all([open(1), open(3)])
  const posts = clients.map((client) => client.records('post', { views: sum(), highest: max() }, options))
  behind.gateway.faults = { ...lost, delayMsMax: 5 }
  let [acknowledged, unknown] = [0, 0]
  const work = posts.flatMap((records, c) =>
    Array.from({ length: 40 }, async (_, i) => {
      for (let round = 0; round < 5; round++) {
        try {
          await records.write(`p${i % 4}`, { views: 1, highest: c * 1_000 + round })
          acknowledged += 1
        } catch (error) {
          if (isSpillwayError(error, 'WRITE_UNKNOWN')) unknown += 1
        }
      }
    }),
  )
  await Promise.all(work)
  behind.gateway.faults = {}
  let read = 0
  for (let i = 0; i < 4; i++) read += (await posts[0]!.read(`p${i}`)).views
  await Promise.all(clients.map((client) => client.close()))
  return { read, acknowledged, unknown }
}
