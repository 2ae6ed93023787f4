import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

import { direct, machineMs, startRedis, waitUntil, wallMs, type RedisProcess } from '@spillway/testkit'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'

import { redis } from '../../src/index.js'
import { opened } from '../clients.js'
import { increment, openMember, type Member } from '../fleet.js'
import { call } from '../requests.js'
import type { Traffic, Turn } from '../stopped-process.js'

const keys = ['hot', 'feed-hot'] // as they are stored: of the record, and of the collection
const leaseMs = 300 // of members

let server: RedisProcess
let admin: Redis

const started: Stopped[] = []

beforeAll(async () => {
  server = await startRedis()
  admin = new Redis({ port: server.port, host: '127.0.0.1' })
})
afterAll(async () => {
  admin.disconnect()
  await server.close()
})

afterEach(() => {
  for (const one of started.splice(0)) one.kill()
})

async function member(): Promise<Member> {
  const limits = { requestTimeoutMs: 5_000 } // on a busy machine, too
  return openMember(await opened(new Redis({ port: server.port, host: '127.0.0.1' })), { limits })
}

/** The process that is stopped. */
class Stopped {
  readonly #child: ChildProcess = fork(join(import.meta.dirname, '../stopped-process.ts'), [String(server.port)], {
    execArgv: ['--import', 'tsx', '--no-warnings'],
  })

  async ready(): Promise<void> {
    await this.#said()
  }

  /** One more write and one more item, and what it reads then. */
  async turn(): Promise<Turn> {
    const said = this.#said()
    this.#child.send('turn')
    return (await said) as Turn
  }

  /** The same, of a process that stands still while `meanwhile` happens and is told before it goes on. `goneOnMs` is when. */
  async turnAfter(meanwhile: () => Promise<void>): Promise<{ readonly turn: Turn; readonly goneOnMs: number }> {
    const stoppedMs = machineMs()
    this.#child.kill('SIGSTOP')
    try {
      await meanwhile()
      await waitUntil('its lease is over', () => machineMs() > stoppedMs + leaseMs)
      const turn = this.turn()
      const goneOnMs = machineMs()
      this.#child.kill('SIGCONT')
      return { turn: await turn, goneOnMs }
    } finally {
      this.#child.kill('SIGCONT')
    }
  }

  /** Lets it close its client and end. */
  async close(): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.#child.send('end')
    await ended
  }

  async #said(): Promise<unknown> {
    const ended = once(this.#child, 'exit').then(([code]) => {
      throw new Error(`The process ended with ${code} before it said anything; what it has printed says why.`)
    })
    const [message] = (await Promise.race([once(this.#child, 'message'), ended])) as [unknown]
    return message
  }

  /** Ends it, if it has not ended. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

/** Requests for data that left after this moment, but before any fetch of the directory that had left after it was answered. */
function blindRequests(traffic: readonly Traffic[], sinceMs: number): readonly Traffic[] {
  const after = traffic.filter(({ atMs }) => atMs >= sinceMs)
  const fetches = new Set(
    after.flatMap(({ what, to, request }) => (what === 'sent' && to === 'directory' ? request : [])),
  )
  const fetched = after.findIndex(({ what, request }) => what === 'answered' && fetches.has(request))
  return after.slice(0, fetched).filter(({ what, to }) => what === 'sent' && to === 'data')
}

test('a process that stood still past its lease fetches the directory before it acts, and misses and loses nothing', async () => {
  const other = await member()
  const feed = other.client.collection<{ readonly by: string }>('feed', { prefix: 'feed-' })
  const { directory } = redis({ client: admin })
  const directed = async (fanout: number) => {
    for (const key of keys)
      await waitUntil(
        `the next step is to ${fanout} shards`,
        async () => (await direct({ directory, leaseMs, draw: () => 0.5, wallMs }, key, () => fanout)) !== undefined,
      )
  }
  const isEach = async (phase: string, write: number) => {
    const { routes } = JSON.parse((await directory.read(call)).text ?? '') as { routes: readonly unknown[][] }
    return keys.every((key) => routes.some((route) => route[0] === key && route[1] === phase && route[3] === write))
  }
  let [total, itemCount] = [0, 0]
  const used = async () => {
    await increment(other, 'hot', 40)
    total += 40
    for (let i = 0; i < 20; i++) await feed.put('hot', `other ${String(++itemCount).padStart(3, '0')}`, { by: 'other' })
  }
  const stopped = new Stopped()
  started.push(stopped)
  await stopped.ready()
  await used()
  expect(await stopped.turn()).toMatchObject({ total: total + 1 })

  const grown = await stopped.turnAfter(async () => {
    await directed(4)
    await waitUntil('both routes have grown', () => isEach('active', 4))
    await used()
    // Each writer has one shard to write to, by its name.
    await waitUntil('something stands in another shard', async () => {
      const more = await member()
      await increment(more, 'hot', 1)
      total += 1
      await more.close()
      return (await admin.keys('hot~spillway~*')).length > 0
    })
  })
  expect(grown.turn.total).toBe(total + 2)
  expect(grown.turn.sorts).toHaveLength(itemCount + 2)
  expect(blindRequests(grown.turn.traffic, grown.goneOnMs)).toEqual([])

  const merged = await stopped.turnAfter(async () => {
    await directed(1)
    await waitUntil('both routes have been merged back', () => isEach('cold', 1))
    await used()
  })
  expect(merged.turn.total).toBe(total + 3)
  expect(merged.turn.sorts).toHaveLength(itemCount + 3)
  expect(blindRequests(merged.turn.traffic, merged.goneOnMs)).toEqual([])
  await stopped.close()

  expect((await other.counts.read('hot')).total).toBe(total + 3)
  expect((await feed.page('hot', { limit: 1_000 })).items).toHaveLength(itemCount + 3)
  await other.close()
})
