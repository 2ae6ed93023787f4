import { sum, type RouteStamp, type ShardRef } from '@spillway/core'

import { ensure, ensureEqual } from '../ensure.js'
import { Items } from '../items.js'
import type { Rule } from '../rule.js'
import { settled } from '../settled.js'
import { absorbedIn, fieldOf, type World } from '../world.js'

const total = fieldOf('total', sum())

const needs = ['stampRoute'] as const

function stampOf(revision: number): RouteStamp {
  return { revision, text: `{"revision":${revision},"of":"the route's own words: \\"#~ ."}` }
}

async function stamp(world: World, shard: ShardRef, revision: number): Promise<void> {
  await world.backend.records.stampRoute?.(shard, stampOf(revision), world.call)
}

async function stamped(world: World, shard: ShardRef): Promise<RouteStamp | undefined> {
  const { route } = await world.contents(shard, [total])
  return route === undefined ? undefined : { revision: route.revision, text: route.text }
}

/** Longer than any run of the kit. */
const expiresInMs = 600_000

/** Keys in states of which a store may think one thing or another when they are to be spread. */
const unspread: Readonly<Record<string, (world: World, key: ShardRef) => Promise<unknown>>> = {
  'a key that was never written': () => Promise.resolve(),
  'a record': (world, key) => world.write(key, [[total, 1]]),
  'a record that expires': (world, key) =>
    world.backend.records.write({ ...world.writing(key, [[total, 1]]), expiresInMs }, world.call),
  items: async (world, key) => {
    if (world.backend.collections === undefined) return
    const items = new Items(world)
    await items.put(key, items.at(1), { n: 1 })
  },
}

/** Whether the store lets a key be spread; ensures that a refusal says that it is one. */
async function isLetThrough(world: World, key: ShardRef, what: string): Promise<boolean> {
  const asking = `the question whether ${what} may be spread`
  const outcome = await settled(asking, async () => world.backend.records.checkSpread?.(key, world.call))
  if (outcome.status === 'answered') return true
  const { kind, message } = outcome.error
  ensure(kind === 'invalid', `Expected ${asking} to fail as «invalid», if at all, but it failed as «${kind}».`)
  ensure(message !== '', `Expected ${asking} to fail with a message that says what to do.`)
  return false
}

/** A route that is kept with its key, for stores that may forget the directory's newest change. */
export const stampingRules: readonly Rule[] = [
  {
    id: 'route-kept',
    claim: 'A key’s route is read with its shard 0, to the letter; where none was left there is none.',
    needs,
    async check(world) {
      const key = world.key()
      ensureEqual(await stamped(world, key), undefined, 'the route of a key that was never stamped')
      for (const revision of [2, 2 ** 45]) {
        await stamp(world, key, revision)
        ensureEqual(await stamped(world, key), stampOf(revision), 'the route')
      }
      ensureEqual(await stamped(world, world.key('k2')), undefined, 'the route of another key')
    },
  },
  {
    id: 'route-later',
    claim: 'A route of a later revision stays, also against another one of the same.',
    needs,
    async check(world) {
      const key = world.key()
      await stamp(world, key, 10)
      await stamp(world, key, 9)
      await world.backend.records.stampRoute?.(key, { revision: 10, text: 'another' }, world.call)
      ensureEqual(await stamped(world, key), stampOf(10), 'the route')
    },
  },
  {
    id: 'route-race',
    claim: 'Of routes that are left at once the one with the latest revision stays.',
    needs,
    async check(world) {
      const key = world.key()
      const revisions = Array.from({ length: 20 }, (_, i) => ((i * 7) % 20) + 1)
      await Promise.all(revisions.map((revision) => stamp(world, key, revision)))
      ensureEqual(await stamped(world, key), stampOf(20), 'the route')
    },
  },
  {
    id: 'route-no-field',
    claim: 'A route is no field and no write: but for it the shard is as it was.',
    needs,
    async check(world) {
      const key = world.key()
      await stamp(world, key, 1)
      const fields = ['total', 'route', 'revision', 'text', 'stamp'].map((name) => fieldOf(name, sum()))
      const contents = await world.contents(key, fields)
      ensureEqual(
        contents.states,
        fields.map(() => undefined),
        'the states of a shard that has nothing but a route',
      )
      ensureEqual(absorbedIn(contents), new Map(), 'the absorbed shards of a shard that has nothing but a route')
      await world.write(key, [[total, 1]], world.stamp('w', 1))
      await stamp(world, key, 2)
      ensureEqual(await world.write(key, [[total, 1]], world.stamp('w', 1)), 'done', 'the answer to a second copy')
      ensureEqual(await world.write(key, [[total, 1]], world.stamp('v', 1)), 'done', 'the answer to another writer')
      ensureEqual(await world.read(key, [total]), [2], 'the total')
    },
  },
  {
    id: 'route-stays',
    claim: 'Writes, an absorb and fields of any name leave the route alone.',
    needs,
    async check(world) {
      const key = world.key()
      await stamp(world, key, 1)
      const fields = ['total', 'route', 'revision', 'text', 'stamp'].map((name) => fieldOf(name, sum()))
      for (const [i, field] of fields.entries())
        await world.write(key, [[field, 1]], world.stamp('w', (i + 1) * 10_000))
      await world.write(key, [[total, 1]])
      await world.absorb(key, world.shard(key, 1), [[total, 10]])
      ensureEqual(await stamped(world, key), stampOf(1), 'the route after writes and an absorb')
      ensureEqual(await world.read(key, fields), [12, 1, 1, 1, 1], 'the record')
    },
  },
  {
    id: 'route-asked',
    claim:
      'A key whose route would be refused is refused before it is announced, and no other is; to ask changes nothing.',
    needs: ['stampRoute', 'checkSpread'],
    async check(world) {
      for (const [index, [what, make]] of Object.entries(unspread).entries()) {
        const key = world.key(`k${index}`)
        await make(world, key)
        const isLet = await isLetThrough(world, key, what)
        ensureEqual(await isLetThrough(world, key, what), isLet, `the second answer whether ${what} may be spread`)
        if (what !== 'items')
          ensureEqual(await stamped(world, key), undefined, `the route of ${what}, only asked about`)
        const { status } = await settled(`the stamp of ${what}`, () => stamp(world, key, 1))
        ensureEqual(isLet, status === 'answered', `the answer whether ${what} may be spread, where its stamp ${status}`)
        const mayExpire = what === 'a record that expires'
        ensure(isLet || mayExpire, `Expected ${what} to be let through: a store must be able to spread its keys.`)
      }
    },
  },
]
