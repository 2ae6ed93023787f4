import type { ItemValue } from '@spillway/core'

import { ensureEqual } from '../ensure.js'
import { Items, versionOf } from '../items.js'
import type { Rule } from '../rule.js'
import { settled } from '../settled.js'
import type { World } from '../world.js'

const needs = ['collections'] as const

/** The core copies no deeper. */
const depthMax = 30

const everyKind: ItemValue = {
  text: 'é e\u0301 世界 👋 \u0000 \n " \\ </script>',
  empty: '',
  digits: '007',
  json: '{"a":[1]}',
  yes: true,
  no: false,
  nothing: null,
  zero: 0,
  negative: -42,
  fraction: 0.1,
  list: [1, 'a', null, true, [], {}, ''],
  emptyList: [],
  emptyObject: {},
  likeDynamo: { S: 'x', N: '1' },
  nested: { a: { b: [{ c: 'd' }, [[['e']]]] } },
}

const numbers = [0, -1, 0.1, 0.1 + 0.2, 2 ** 53 - 1, 1 - 2 ** 53, 2 ** 60, 1e21, 1e-7, 123_456_789.123_456_78, 1e100]

/** Not every store has numbers so large or so small. */
const extremes = [Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE, -Number.MIN_VALUE]

const names = ['__proto__', 'constructor', 'toString', 'a.b', 'a b', '#a', ':a', '$a', 'é', '世界', '👋', '0', 'a"b']

/** An adapter may have a use of its own for some of these; DynamoDB has no names without a letter. */
const ownNames = ['', 'key', 'sort', 'stamp', 'value', 'item', 'version', 'ttl', 'pk', 'sk', 'k', 's', 'v', '~']

/** An object with one property, also where its name has a meaning of its own to JavaScript. */
function objectWith(name: string, part: ItemValue[string]): ItemValue {
  return Object.fromEntries([[name, part]])
}

function nested(depth: number): ItemValue {
  return depth === 1 ? { leaf: true } : { inner: nested(depth - 1) }
}

/** Puts an item and ensures that get and page give it as it was, or, where it may, that it was refused as «invalid». */
async function ensureKept(world: World, name: string, value: ItemValue, mayBeRefused = false): Promise<void> {
  const items = new Items(world)
  const [key, sort] = [world.key(name), items.at(1)]
  if (mayBeRefused) {
    const outcome = await settled(`a put of the item «${name}»`, () => items.put(key, sort, value))
    if (outcome.status === 'failed')
      return ensureEqual(outcome.error.kind, 'invalid', `the kind of failure of a put of the item «${name}»`)
  } else ensureEqual(await items.put(key, sort, value), 'done', `the answer to a put of the item «${name}»`)
  const expected = { sort, stamp: versionOf(1), value }
  ensureEqual(await items.get(key, sort), expected, `the item «${name}» that a get gave`)
  ensureEqual(await items.all(key), [expected], `the item «${name}» that a page gave`)
}

/** Items as applications make them. */
export const itemRules: readonly Rule[] = [
  {
    id: 'item-put-get',
    claim: 'An item is read as it was put, with its sort value and its stamp, by a get and by a page.',
    needs,
    check: (world) => ensureKept(world, 'plain', { title: 'Hello', count: 3 }),
  },
  {
    id: 'item-nothing',
    claim: 'Where nothing was put there is nothing, beside other items as well.',
    needs,
    async check(world) {
      const items = new Items(world)
      const key = world.key()
      ensureEqual(await items.get(key, items.at(1)), undefined, 'what a get found where nothing was put')
      ensureEqual(await items.page(key), { items: [], next: undefined }, 'the page of a shard without items')
      await items.put(key, items.at(1), { n: 1 })
      ensureEqual(await items.get(key, items.at(2)), undefined, 'what a get found at another sort value')
      ensureEqual(await items.all(world.key('k2')), [], 'the items of another key')
    },
  },
  {
    id: 'item-kinds',
    claim: 'An item of any kinds of JSON comes back the same: nested, empty, and in any language.',
    needs,
    async check(world) {
      await ensureKept(world, 'every kind', everyKind)
      await ensureKept(world, 'no property', {})
      await ensureKept(world, 'deep', nested(depthMax))
    },
  },
  {
    id: 'item-numbers',
    claim: 'A number in an item comes back exactly; one that the store does not have is refused as «invalid».',
    needs,
    async check(world) {
      await ensureKept(world, 'numbers', { numbers })
      for (const extreme of extremes) await ensureKept(world, String(extreme), { extreme }, true)
    },
  },
  {
    id: 'item-names',
    claim: 'A property of any name comes back; one that the store cannot have is refused as «invalid».',
    needs,
    async check(world) {
      for (const name of names) {
        await ensureKept(world, `named ${name}`, objectWith(name, 'text'))
        await ensureKept(world, `in it ${name}`, { inner: objectWith(name, { n: 1 }) })
      }
      for (const name of ownNames) await ensureKept(world, `of its own ${name}`, objectWith(name, 'text'), true)
    },
  },
  {
    id: 'item-whole',
    claim: 'A newer item takes the place of the older one as a whole.',
    needs,
    async check(world) {
      const items = new Items(world)
      const [key, sort] = [world.key(), items.at(1)]
      await items.put(key, sort, { a: 1, b: { c: 1, d: 1 }, e: [1, 2] }, versionOf(1))
      await items.put(key, sort, { b: { c: 2 }, e: [3] }, versionOf(2))
      const expected = { sort, stamp: versionOf(2), value: { b: { c: 2 }, e: [3] } }
      ensureEqual(await items.all(key), [expected], 'the items after an item was replaced')
    },
  },
  {
    id: 'item-readers-own',
    claim: 'What is read belongs to the reader: changing it changes nothing in the store.',
    needs,
    async check(world) {
      const items = new Items(world)
      const [key, sort, value] = [world.key(), items.at(1), { list: [1, 2], inner: { a: 1 } }]
      await items.put(key, sort, structuredClone(value))
      const read = [await items.get(key, sort), (await items.page(key)).items[0]]
      for (const item of read) spoil(item?.value)
      const expected = { sort, stamp: versionOf(1), value }
      ensureEqual(await items.get(key, sort), expected, 'the item after its reader changed what a get gave')
      ensureEqual(await items.all(key), [expected], 'the item after its reader changed what a page gave')
    },
  },
  {
    id: 'item-given',
    claim: 'What is given to be stored is not changed.',
    needs,
    async check(world) {
      const items = new Items(world)
      const put = items.putting(world.key(), items.at(1), { b: { list: ['z', 'a'] }, a: 1, list: [2, 1] })
      const before = structuredClone(put)
      await items.store.put(put, world.call)
      await items.put(world.key(), items.at(1), { n: 1 }, versionOf(2))
      ensureEqual(put, before, 'the put that was given')
    },
  },
]

/** Changes what can be changed of a value. */
function spoil(value: unknown): void {
  const { list, inner } = (value ?? {}) as { list?: unknown[]; inner?: { a: number } }
  list?.push(3)
  if (inner !== undefined) inner.a = 2
}
