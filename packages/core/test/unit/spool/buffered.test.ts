import { describe, expect, test } from 'vitest'

import { type ClientOptions, createClient, latest, memory, mergeRule, sum, union } from '../../../src/index.js'
import { FakeClock } from '../../../src/testing.js'
import { Disk } from '../../doubles/mortal.js'
import { codeOf, opened, type Opened, refused, throttled, watch, watchAll } from '../../doubles/opened.js'

const buffered = { ack: 'buffered' } as const
const rules = { n: sum() }

interface World extends Opened {
  readonly disk: Disk
}

async function spooled(
  options: Parameters<typeof opened>[0] = {},
  disk = new Disk(),
  clock = new FakeClock(),
): Promise<World> {
  return { ...(await opened({ ...options, clock, spool: disk.spool(clock) })), disk }
}

/** What stands on the disk: whether each entry has been sent, and how many changes it holds. */
function entriesOf(disk: Disk): readonly (readonly [isSent: boolean, changeCount: number])[] {
  return [...disk.entries.values()].map((text) => {
    const said = JSON.parse(text) as readonly unknown[]
    return [said.length === 7, said[4] as number] as const
  })
}

describe('a buffered write with a spool', () => {
  test('resolves once it is on disk, not before, and is written then', async () => {
    const { client, clock, disk, backend } = await spooled()
    disk.commitMs = 10
    const counts = client.records('count', rules)
    const writing = watch(counts.write('k', { n: 1 }, buffered))
    await clock.advance(9)
    expect([writing.state, backend.writes.length]).toEqual(['open', 0])
    await clock.advance(1)
    expect([writing.state, entriesOf(disk)]).toEqual(['resolved', [[false, 1]]])
    await clock.advance(30)
    expect(await counts.read('k')).toEqual({ n: 1 })
    expect(entriesOf(disk)).toEqual([])
  })

  test('is on disk with its number and its place before it is sent, in place of what was accepted', async () => {
    const { client, clock, disk, backend } = await spooled()
    backend.holds.write = true
    void client.records('count', rules).write('k', { n: 1 }, buffered)
    await clock.advance(0)
    expect(entriesOf(disk)).toEqual([[true, 1]])
    const [held] = backend.heldWrites
    const [text = ''] = disk.entries.values()
    expect((JSON.parse(text) as unknown[])[6]).toEqual([
      held?.request.stamp?.writer,
      held?.request.stamp?.sequence,
      0,
      0,
      0,
      clock.wallMs(),
    ])
  })

  test('shares one commit, and one entry, with all changes to its key that arrive while the disk is busy', async () => {
    const { client, clock, disk, backend } = await spooled()
    disk.commitMs = 10
    const counts = client.records('count', rules)
    void counts.write('other', { n: 1 }, buffered)
    await clock.advance(1)
    const writes = watchAll(Array.from({ length: 1_000 }, () => counts.write('k', { n: 1 }, buffered)))
    await clock.advance(9)
    expect(disk.commitCount).toBe(2)
    await clock.advance(10)
    expect(writes.every(({ state }) => state === 'resolved')).toBe(true)
    await clock.advance(100)
    expect(backend.writes.map(({ shard, changes }) => [shard.key, changes[0]?.state])).toEqual([
      ['other', 1],
      ['k', 1_000],
    ])
  })

  test('is refused with SPOOL when the disk refuses it, and is not written, then or later', async () => {
    const { client, clock, disk, backend } = await spooled()
    const counts = client.records('count', rules)
    disk.isRefusing = () => true
    const error = await counts.write('k', { n: 1 }, buffered).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'SPOOL', reason: 'failed', retryable: true })
    expect((error as Error).message).toContain('ENOSPC')
    disk.isRefusing = () => false
    await counts.write('k', { n: 2 }, buffered)
    await clock.advance(10)
    expect([backend.writes.length, await counts.read('k')]).toEqual([1, { n: 2 }])
  })

  test('is refused with LIMIT_REACHED beyond the bytes of the spool, while what makes room goes on', async () => {
    const disk = new Disk()
    disk.bytesMax = 400
    const { client, clock, backend } = await spooled({}, disk)
    const counts = client.records('count', rules)
    backend.holds.write = true
    const outcomes = await Promise.all(['a', 'b', 'c', 'd'].map((key) => codeOf(counts.write(key, { n: 1 }, buffered))))
    expect(outcomes).toEqual(['resolved', 'resolved', 'resolved', 'LIMIT_REACHED'])
    await clock.advance(0)
    for (const held of backend.heldWrites) held.pass()
    await clock.advance(0)
    expect(entriesOf(disk)).toEqual([])
    expect(await codeOf(counts.write('d', { n: 1 }, buffered))).toBe('resolved')
  })

  test('that cannot be accepted at all is refused before it is on disk', async () => {
    const { client, disk } = await spooled()
    const counts = client.records('count', rules)
    const outcomes = [
      counts.write('', { n: 1 }, buffered),
      counts.write('k', { n: 0.5 }, buffered),
      counts.write('k', {}, buffered),
    ]
    expect(await Promise.all(outcomes.map(codeOf))).toEqual(Array.from({ length: 3 }, () => 'INVALID_ARGUMENT'))
    expect(disk.commitCount).toBe(0)
  })

  test('rejects with the reason of its signal, and is written all the same', async () => {
    const { client, clock, disk } = await spooled()
    disk.commitMs = 10
    const counts = client.records('count', rules)
    const controller = new AbortController()
    const writing = watch(counts.write('k', { n: 1 }, { ...buffered, signal: controller.signal }))
    controller.abort(new Error('gone'))
    await clock.advance(100)
    expect(writing.error).toMatchObject({ message: 'gone' })
    expect(await counts.read('k')).toEqual({ n: 1 })
  })

  test('with a signal that is aborted already is not taken', async () => {
    const { client, clock, disk } = await spooled()
    const counts = client.records('count', rules)
    const writing = watch(counts.write('k', { n: 1 }, { ...buffered, signal: AbortSignal.abort(new Error('gone')) }))
    await clock.advance(100)
    expect([writing.error?.message, disk.commitCount]).toEqual(['gone', 0])
    expect(await counts.read('k')).toEqual({ n: 0 })
  })

  test('that has no room in the open window follows it in one of its own', async () => {
    const { client, clock, disk, backend } = await spooled({ memory: { changeBytesMax: 1_000 } })
    const names = client.records('name', { ids: union() })
    backend.holds.write = true
    const written = watch(names.write('k', { ids: ['first'] }))
    const ids = Array.from({ length: 6 }, (_, i) => `${i}`.repeat(300))
    for (const id of ids) await names.write('k', { ids: [id] }, buffered)
    expect(entriesOf(disk)).toHaveLength(6)
    backend.holds.write = false
    for (const held of backend.heldWrites) held.pass()
    await clock.advance(10)
    expect(written.state).toBe('resolved')
    expect(await names.read('k')).toEqual({ ids: new Set(['first', ...ids]) })
    expect(entriesOf(disk)).toEqual([])
  })

  test('is seen by a read of the same process that asks for what is pending', async () => {
    const { client, clock, backend } = await spooled()
    const counts = client.records('count', rules)
    backend.holds.write = true
    void counts.write('k', { n: 1 })
    await counts.write('k', { n: 2 }, buffered)
    const reading = watch(counts.read('k', { pending: true }))
    backend.heldWrites[0]?.pass()
    await clock.advance(10)
    expect(reading.value).toEqual({ n: 3 })
  })
})

describe('the disk', () => {
  test('is not touched by writes that are not buffered', async () => {
    const { client, clock, disk } = await spooled()
    const counts = client.records('count', rules)
    await Promise.all([counts.write('k', { n: 1 }), counts.write('k', { n: 1 })])
    await clock.advance(100)
    expect(disk.commitCount).toBe(0)
    expect(await client.close()).toMatchObject({ kept: [], failureCount: 0 })
  })

  test('is given back when the client closes, and when it cannot be opened', async () => {
    const { client, disk } = await spooled()
    expect(disk.isOpen).toBe(true)
    await client.close()
    expect(disk.isOpen).toBe(false)
    const clock = new FakeClock()
    const broken = { ...memory(), open: () => Promise.reject(new Error('no backend')) }
    await expect(createClient({ backend: broken, clock, spool: disk.spool(clock) })).rejects.toThrow('no backend')
    expect(disk.isOpen).toBe(false)
  })

  test('that refuses while a write is to be sent holds it back, and nothing is lost', async () => {
    const { client, clock, disk, backend } = await spooled()
    const counts = client.records('count', rules)
    disk.commitMs = 2
    const writing = watch(counts.write('k', { n: 1 }, buffered))
    await clock.advance(2)
    expect(writing.state).toBe('resolved')
    disk.isRefusing = () => true
    await clock.advance(500)
    expect(backend.writes).toEqual([])
    disk.isRefusing = () => false
    await clock.advance(2_000)
    expect(await counts.read('k')).toEqual({ n: 1 })
  })
})

describe('a write that the backend rejects', () => {
  test('is gone from the disk before anybody is told that it is not written', async () => {
    const { client, clock, disk, backend } = await spooled()
    disk.commitMs = 10
    const counts = client.records('count', rules)
    let leftWhenTold: number | undefined
    client.on('write-lost', () => {
      leftWhenTold = disk.entries.size
    })
    backend.holds.write = true
    void counts.write('k', { n: 1 }, buffered)
    await clock.advance(20)
    backend.heldWrites[0]?.fail(refused)
    await clock.advance(0)
    expect(leftWhenTold).toBeUndefined()
    await clock.advance(10)
    expect(leftWhenTold).toBe(0)
    expect(await client.flush()).toMatchObject({ failureCount: 1, failures: [{ error: { code: 'WRITE_REJECTED' } }] })
  })

  test('is «unknown» when it cannot be removed from the disk', async () => {
    const { client, clock, disk, backend } = await spooled()
    const counts = client.records('count', rules)
    backend.holds.write = true
    void counts.write('k', { n: 1 }, buffered)
    await clock.advance(0)
    disk.isRefusing = () => true
    backend.heldWrites[0]?.fail(refused)
    await clock.advance(0)
    const { failures } = await client.flush()
    expect(failures).toMatchObject([{ error: { code: 'WRITE_UNKNOWN' } }])
  })

  test('comes to an end when a rule of the user throws', async () => {
    const { client, clock, backend, disk } = await spooled()
    let isBroken = false
    const broken = mergeRule<string>({
      empty: '',
      merge: (a, b) => a + b,
      encode: (text) => {
        if (isBroken) throw new RangeError('broken')
        return text
      },
      decode: (text) => text,
    })
    const texts = client.records('text', { t: broken })
    backend.holds.write = true
    watch(texts.write('k', { t: 'ab' }))
    await texts.write('k', { t: 'cd' }, buffered)
    isBroken = true
    backend.heldWrites[0]?.pass()
    await clock.advance(0)
    const { failures } = await client.flush()
    expect(failures).toMatchObject([{ changeCount: 1, error: { code: 'WRITE_REJECTED' } }])
    expect(disk.entries.size).toBe(0)
  })
})

describe('an outage of the backend', () => {
  const limits: ClientOptions['limits'] = { requestTimeoutMs: 500, writeTimeoutMs: 1_000 }

  test('longer than writeTimeoutMs loses nothing that is on disk, and keeps nobody waiting for longer', async () => {
    const { client, clock, backend } = await spooled({ limits })
    const counts = client.records('count', { n: sum(), last: latest<string>() })
    backend.holds.write = true
    const failAll = setFailing(backend)
    const bufferedWrite = watch(counts.write('k', { n: 1, last: 'a' }, buffered))
    const writtenWrite = watch(counts.write('k', { n: 2 }))
    for (let i = 0; i < 40; i++) {
      failAll()
      await clock.advance(100)
    }
    expect([bufferedWrite.state, writtenWrite.state]).toEqual(['resolved', 'rejected'])
    backend.holds.write = false
    failAll()
    await clock.advance(3_000)
    expect((await counts.read('k')).last).toBe('a')
    expect(await client.close()).toMatchObject({ failureCount: 0, kept: [] })
  })

  test('keeps nobody waiting who writes behind what is on disk: not written, or unknown where that is with it', async () => {
    const { client, clock, backend } = await spooled({ limits })
    const counts = client.records('count', rules)
    backend.holds.write = true
    const failAll = setFailing(backend)
    const passing = async (ms: number) => {
      for (let i = 0; i < ms; i += 100) {
        failAll()
        await clock.advance(100)
      }
    }
    await counts.write('k', { n: 1 }, buffered)
    await passing(5_000)
    const plain = watch(counts.write('k', { n: 10 }))
    await passing(900)
    expect(plain.state).toBe('open')
    await passing(1_200)
    expect(plain.error).toMatchObject({ code: 'WRITE_REJECTED', retryable: true })
    const mixed = watchAll([counts.write('k', { n: 100 }), counts.write('k', { n: 1_000 }, buffered)])
    await passing(3_000)
    expect(mixed.map(({ state, error }) => error?.code ?? state)).toEqual(['WRITE_UNKNOWN', 'resolved'])
    const late = watch(counts.write('k', { n: 10_000 }))
    backend.holds.write = false
    await passing(3_000)
    expect(late.state).toBe('resolved')
    expect(await counts.read('k')).toEqual({ n: 11_101 })
    expect(await client.close()).toMatchObject({ failureCount: 0, kept: [] })
  })

  test('at the end of a client leaves what is on disk to the next, however much later that starts', async () => {
    const disk = new Disk()
    const clock = new FakeClock()
    const store = memory()
    const first = await spooled({ limits, store }, disk, clock)
    const counts = first.client.records('count', rules)
    first.backend.holds.write = true
    const failAll = setFailing(first.backend)
    await counts.write('k', { n: 1 }, buffered)
    const following = watch(counts.write('k', { n: 10 }))
    const closing = watch(first.client.close())
    for (let i = 0; i < 40; i++) {
      failAll()
      await clock.advance(100)
    }
    expect(closing.value).toMatchObject({ kept: [{ record: 'count', changeCount: 1 }] })
    expect(following.state).toBe('rejected')
    expect(entriesOf(disk)).toEqual([[false, 1]])

    clock.jumpWall(86_400_000)
    const second = await spooled({ store }, disk, clock)
    const again = second.client.records('count', rules)
    await clock.advance(100)
    expect((await again.read('k')).n % 10).toBe(1)
    expect(await second.client.close()).toMatchObject({ failureCount: 0, kept: [] })
  })
})

/** Fails every write that is held by now, as throttled: it is surely not in. */
function setFailing(backend: World['backend']): () => void {
  let failed = 0
  return () => {
    for (const held of backend.heldWrites.slice(failed)) held.fail(throttled)
    failed = backend.heldWrites.length
  }
}
