import { inspect } from 'node:util'

import { sum, type ThrottleDetail } from '@spillway/core'

import { ensure, ensureEqual } from '../ensure.js'
import { requestsMax } from '../requests-max.js'
import type { Rule } from '../rule.js'
import { settled, type Settled } from '../settled.js'
import { refusedCount, toldOf } from '../told-throttles.js'
import { fieldOf, type World } from '../world.js'

const total = fieldOf('total', sum())

/** Writes while the store is busy. */
async function writeThrottled(world: World): Promise<Settled<readonly ThrottleDetail[]>> {
  const write = world.writing(world.key(), [[total, 1]], world.stamp('w', 1))
  return settled('a write', async () => (await world.backend.records.write(write, world.call)).throttles ?? [])
}

/** Reads one shard while the store is busy. */
async function readThrottled(world: World): Promise<Settled<readonly ThrottleDetail[]>> {
  const read = { shards: [world.key()], fields: [total], consistency: 'strong' } as const
  return settled('a read', async () => {
    const [answer] = await world.backend.records.read(read, world.call)
    if (answer?.status === 'failed') throw answer.error
    return answer?.throttles ?? []
  })
}

/** A store at its limits, and a client that tries again by itself. */
export const throttleRules: readonly Rule[] = [
  {
    id: 'throttle-write',
    claim: 'A write that the store throttled says so, also if it succeeded after all, and is in once.',
    needs: ['throttle'],
    async check(world) {
      await world.duringThrottle(refusedCount, async () => {
        const outcome = await writeThrottled(world)
        toldOf('a write', outcome)
      })
      const key = world.key()
      const [seen] = await world.read(key, [total])
      ensure(
        seen === 0 || seen === 1,
        `Expected a throttled write to be in once or not at all, but the total was ${String(seen)}.`,
      )
      ensureEqual(
        await world.write(key, [[total, 1]], world.stamp('w', 1)),
        'done',
        'the answer to the write sent again',
      )
      ensureEqual(await world.read(key, [total]), [1], 'the total after the write was sent again')
    },
  },
  {
    id: 'throttle-refused',
    claim: 'A write that fails as «throttled» has done nothing.',
    needs: ['throttle'],
    async check(world) {
      await world.duringThrottle(Infinity, async () => {
        const outcome = await writeThrottled(world)
        ensure(outcome.status === 'failed', 'Expected a write to fail while the store refuses every request.')
      })
      ensureEqual(await world.read(world.key(), [total]), [0], 'the total after a write that the store refused')
    },
  },
  {
    id: 'throttle-read',
    claim: 'A read that the store throttled says so, also if it succeeded after all.',
    needs: ['throttle'],
    async check(world) {
      await world.write(world.key(), [[total, 1]])
      await world.duringThrottle(refusedCount, async () => {
        toldOf('a read', await readThrottled(world))
      })
    },
  },
  {
    id: 'throttle-detail',
    claim: 'A throttle comes with the store’s own reason, and with what it concerns.',
    needs: ['throttle'],
    async check(world) {
      const told: ThrottleDetail[] = []
      for (const request of [writeThrottled, readThrottled])
        await world.duringThrottle(refusedCount, async () => {
          const outcome = await request(world)
          if (outcome.status === 'answered') told.push(...outcome.answer)
          else if (outcome.error.throttle !== undefined) told.push(outcome.error.throttle)
        })
      for (const detail of told) {
        const { reason, scope, resource } = detail
        const isSane =
          typeof reason === 'string' &&
          reason !== '' &&
          ['key-range', 'index-key-range', 'other'].includes(scope) &&
          (resource === undefined || typeof resource === 'string')
        ensure(
          isSane,
          `Expected a throttle to come with reason, scope and, if named, resource, but it was ${inspect(detail)}.`,
        )
      }
    },
  },
  {
    id: 'throttle-bounded',
    claim: `While the store refuses everything it is asked at most ${requestsMax} times for one request.`,
    needs: ['throttle', 'requestCount'],
    async check(world) {
      await world.duringThrottle(Infinity, async () => {
        for (const [what, request] of [
          ['write', writeThrottled],
          ['read', readThrottled],
        ] as const) {
          const count = await world.requestsOf(async () => {
            const { status } = await request(world)
            ensure(status === 'failed', `Expected a ${what} to fail while the store refuses every request.`)
          })
          ensure(
            count <= requestsMax,
            `Expected at most ${requestsMax} requests for one ${what}, but there were ${count}.`,
          )
        }
      })
    },
  },
]
