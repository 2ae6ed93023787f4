import { describe, expect, test } from 'vitest'

import { type ClientEvents, createClient, latest, max, memory, mergeRule, sum, union } from '../../../src/index.js'
import { FakeClock } from '../../../src/testing.js'
import { Disk, Life, mortal } from '../../doubles/mortal.js'
import { opened, type Opened, watch } from '../../doubles/opened.js'

const buffered = { ack: 'buffered' } as const
const rules = { n: sum() }

/** A process that dies while its writes are under way. */
class Process {
  readonly clock = new FakeClock()
  readonly disk = new Disk()
  readonly store = memory()
  #life = new Life()

  async start(options: Parameters<typeof opened>[0] = {}): Promise<Opened> {
    this.#life = new Life()
    const spool = this.disk.spool(this.clock, this.#life)
    return opened({ ...options, store: mortal(this.store, this.#life), clock: this.clock, spool })
  }

  /** `kill -9`, and so much time until the next start. */
  die(ms = 0): void {
    this.#life.isOver = true
    this.clock.pause(ms)
  }
}

/** Lets a life accept a change, send it, and die without an answer; with `stored` the store has it. */
async function diedSending(process: Process, stored: boolean, ms = 0): Promise<void> {
  const { client, backend, clock } = await process.start()
  backend.holds.write = true
  void client.records('count', rules).write('k', { n: 1 }, buffered)
  await clock.advance(0)
  if (stored) await backend.heldWrites[0]?.store()
  process.die(ms)
}

describe('the next life', () => {
  test.each([true, false])('writes what was sent without an answer, once (it was in: %s)', async (stored) => {
    const process = new Process()
    await diedSending(process, stored, 10_000)
    const { client, clock, backend } = await process.start()
    const counts = client.records('count', rules)
    await clock.advance(10)
    expect(await counts.read('k')).toEqual({ n: 1 })
    expect(backend.writes).toHaveLength(1)
    expect(process.disk.entries.size).toBe(0)
  })

  test('writes what was accepted and not sent, of every rule, as it was', async () => {
    const process = new Process()
    const all = {
      n: sum(),
      big: sum({ type: 'bigint' }),
      f: sum({ type: 'float' }),
      top: max(),
      last: latest<unknown>(),
      ids: union(),
      own: mergeRule<readonly number[]>({
        empty: [],
        merge: (a, b) => [...a, ...b].toSorted((x, y) => x - y),
        encode: JSON.stringify,
        decode: JSON.parse as (text: string) => readonly number[],
      }),
    }
    const change = {
      n: -7,
      big: 2n ** 80n,
      f: 0.1 + 0.2,
      top: -1e-130,
      last: { text: 'é😀"\\n', list: [null, 1.5] },
      ids: ['é', '😀', ''],
      own: [3, 1],
    }
    const first = await process.start()
    first.backend.holds.write = true
    const records = first.client.records('all', all)
    watch(records.write('k', { n: 1 }))
    await records.write('k', change, buffered)
    await records.write('k', { n: 10, ids: ['more'] }, buffered)
    process.die()
    const second = await process.start()
    const again = second.client.records('all', all)
    await process.clock.advance(10)
    expect(await again.read('k')).toEqual({
      ...change,
      n: 3,
      ids: new Set(['é', '😀', '', 'more']),
      own: [3, 1],
    })
    expect(second.backend.writes).toHaveLength(2) // the first leaves at once, all others together
  })

  test.each(['flush', 'close'] as const)('is written before a %s ends that follows at once', async (end) => {
    const process = new Process()
    await diedSending(process, false)
    const { client, clock } = await process.start()
    client.records('count', rules)
    expect(await clock.run(client[end]())).toMatchObject({ failureCount: 0 })
    const { client: next } = await process.start()
    expect(await next.records('count', rules).read('k')).toEqual({ n: 1 })
    expect(process.disk.entries.size).toBe(0)
  })

  test('waits for the application to declare the record, and says what it has never declared', async () => {
    const process = new Process()
    await diedSending(process, false)
    const second = await process.start()
    second.client.records('another', { other: sum() })
    await process.clock.advance(1_000)
    expect(await second.client.close()).toMatchObject({ failureCount: 0, kept: [{ record: 'count', changeCount: 1 }] })
    const third = await process.start()
    const counts = third.client.records('count', rules)
    await process.clock.advance(10)
    expect(await counts.read('k')).toEqual({ n: 1 })
  })

  test.each([
    ['a field that is gone', { m: sum() }, {}],
    ['a field under another rule', { n: max() }, {}],
    ['another prefix', rules, { prefix: 'p:' }],
  ])('keeps what no longer fits, and says so: %s', async (_, changed, options) => {
    const process = new Process()
    await diedSending(process, false)
    const { client, clock, backend } = await process.start()
    const told: ClientEvents['spool-kept'][] = []
    client.on('spool-kept', (event) => told.push(event))
    client.records('count', changed, options)
    await clock.advance(100)
    expect(told).toMatchObject([
      { record: 'count', key: 'k', changeCount: 1, error: { code: 'SPOOL', reason: 'rules-changed', key: 'k' } },
    ])
    expect(await client.close()).toMatchObject({ kept: [{ record: 'count', changeCount: 1 }] })
    expect([backend.writes.length, process.disk.entries.size]).toEqual([0, 1])
  })

  test('reports what was sent longer ago than the retry horizon as unknown, and never sends it', async () => {
    const process = new Process()
    await diedSending(process, false, 300_000)
    const { client, clock, backend } = await process.start()
    const told: ClientEvents['write-lost'][] = []
    client.on('write-lost', (event) => told.push(event))
    client.records('count', rules)
    await clock.advance(100)
    expect(told).toMatchObject([{ record: 'count', key: 'k', changeCount: 1, error: { code: 'WRITE_UNKNOWN' } }])
    expect(await client.flush()).toMatchObject({ failureCount: 1, failures: [{ key: 'k', changeCount: 1 }] })
    expect([backend.writes.length, process.disk.entries.size, client.counters().writes.failedCalls]).toEqual([0, 0, 1])
  })

  test('still sends what was sent just within the retry horizon', async () => {
    const process = new Process()
    await diedSending(process, false, 299_000)
    const { client, clock } = await process.start()
    const counts = client.records('count', rules)
    await clock.advance(10)
    expect(await counts.read('k')).toEqual({ n: 1 })
  })

  test('does not judge what was sent in the future: it is unknown', async () => {
    const process = new Process()
    await diedSending(process, false)
    process.clock.jumpWall(-60_001)
    const { client, clock, backend } = await process.start()
    client.records('count', rules)
    await clock.advance(10)
    const { failures } = await client.flush()
    expect(failures).toMatchObject([{ error: { code: 'WRITE_UNKNOWN' } }])
    expect(String(failures[0]?.error)).toContain('in the future')
    expect(backend.writes).toEqual([])
  })

  test('writes what was never sent, however old it is', async () => {
    const process = new Process()
    const first = await process.start()
    first.backend.holds.write = true
    const counts = first.client.records('count', rules)
    watch(counts.write('k', { n: 1 }))
    await counts.write('k', { n: 10 }, buffered)
    process.die(86_400_000)
    const second = await process.start()
    const again = second.client.records('count', rules)
    await process.clock.advance(10)
    expect(await again.read('k')).toEqual({ n: 10 })
  })
})

describe('a spool that cannot be read', () => {
  test.each([
    ['another format', '[2,"count","","k",1,[]]', 'foreign'],
    ['no JSON', 'hello', 'damaged'],
    ['no array', '{}', 'damaged'],
    ['too little', '[1,"count",""]', 'damaged'],
    ['a field that is none', '[1,"count","","k",1,[["n",3]]]', 'damaged'],
    ['a sending that is none', '[1,"count","","k",1,[["n","sum(integer)","1"]],[1,2]]', 'damaged'],
    ['half a number', '[1,"count","","k",1,[["n","sum(integer)","1"]],["w",null,0,0,0,0]]', 'damaged'],
  ])('keeps the client from being made: %s', async (_, text, reason) => {
    const process = new Process()
    process.disk.entries.set(1, text)
    await expect(process.start()).rejects.toMatchObject({ code: 'SPOOL', reason })
    expect(process.disk.isOpen).toBe(false)
  })

  test.each([
    ['no spool', {}],
    ['a spool without a bound', { open() {}, commit() {}, close() {}, bytesMax: Number.NaN }],
  ])('is refused as an option: %s', async (_, spool) => {
    const made = createClient({ backend: memory(), spool: spool as never })
    await expect(made).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})
