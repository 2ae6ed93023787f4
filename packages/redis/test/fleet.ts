import { createClient, isSpillwayError, sum, type Client, type ClientOptions } from '@spillway/core'

import { redis, type RedisOptions } from '../src/index.js'
import type { Opened } from './clients.js'

/** Timings under which routes change within a test: a lease of 300 ms. */
const routing = { refreshMs: 100, leaseMs: 300, retryHorizonMs: 60_000, sealRetentionMs: 120_000 } as const

/** A process's part of a fleet: a Redis client, a backend on it and a Spillway client on that. */
export interface Member {
  readonly client: Client
  readonly counts: ReturnType<typeof countsOf>
  close(): Promise<void>
}

/** What became of a number of writes. */
export interface Tally {
  acknowledged: number
  unknown: number
  rejected: number
}

/** How a member differs from the rest. */
export interface MemberOptions extends Omit<ClientOptions, 'backend' | 'routing'> {
  readonly redis?: Omit<RedisOptions, 'client'>
  readonly dedupe?: boolean
}

/** Opens a member on a Redis client, which is closed with it. */
export async function openMember(
  opened: Opened,
  { redis: backend, dedupe = true, ...options }: MemberOptions = {},
): Promise<Member> {
  const client = await createClient({
    backend: redis({ client: opened.client, ...backend }),
    routing,
    collapse: { windowMs: 5 },
    ...options,
    limits: { requestTimeoutMs: 400, writeTimeoutMs: 20_000, ...options.limits },
  })
  return {
    client,
    counts: countsOf(client, dedupe),
    async close() {
      await client.close()
      await opened.close()
    },
  }
}

/** Adds 1 to a key so many times from so many callers at once. */
export async function increment(member: Member, key: string, count: number, callers = 8): Promise<Tally> {
  const tally: Tally = { acknowledged: 0, unknown: 0, rejected: 0 }
  let left = count
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (left-- > 0) {
        try {
          await member.counts.write(key, { total: 1 })
          tally.acknowledged += 1
        } catch (error) {
          if (isSpillwayError(error, 'WRITE_UNKNOWN')) tally.unknown += 1
          else tally.rejected += 1
        }
      }
    }),
  )
  return tally
}

/** Writes that go on until they are stopped. */
export class Stream {
  /** What became of each batch so far. */
  readonly tallies: Tally[] = []
  readonly #writing: Promise<unknown>
  #isOver = false

  constructor(members: readonly Member[], key: string) {
    this.#writing = Promise.all(
      members.map(async (member) => {
        while (!this.#isOver) this.tallies.push(await increment(member, key, 20))
      }),
    )
  }

  /** Ends it; answers with all that became of it. */
  async stop(): Promise<Tally> {
    this.#isOver = true
    await this.#writing
    return added(this.tallies)
  }
}

/** The total of a key. */
export async function totalOf(member: Member, key: string): Promise<number> {
  return (await member.counts.read(key)).total
}

/** All tallies in one. */
export function added(tallies: readonly Tally[]): Tally {
  const all: Tally = { acknowledged: 0, unknown: 0, rejected: 0 }
  for (const tally of tallies) {
    all.acknowledged += tally.acknowledged
    all.unknown += tally.unknown
    all.rejected += tally.rejected
  }
  return all
}

function countsOf(client: Client, dedupe: boolean) {
  return client.records('count', { total: sum() }, { dedupe })
}
