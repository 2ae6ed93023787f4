import { describe, expect, test } from 'vitest'
import { memory } from '../../../src/backend/memory-backend.js'
import { mergeRule } from '../../../src/merge/custom-rule.js'
import type { AnyRule } from '../../../src/merge/merge-rule.js'
import { union } from '../../../src/merge/union.js'
import { absorbOf, add, adding, call, contentsOf, ownShard, shardOf, stampOf, totalField, totalOf } from './requests.js'

const key = ownShard('k')

describe('dedupe', () => {
  test('the same number counts once, and an older one not at all', async () => {
    const backend = memory()
    expect(await add(backend, key, 5, stampOf('w', 10))).toBe('done')
    expect(await add(backend, key, 5, stampOf('w', 10))).toBe('done')
    expect(await add(backend, key, 5, stampOf('w', 9))).toBe('done')
    expect(await totalOf(backend, key)).toBe(5)
  })

  test('writers do not stand in for each other, and neither do shards', async () => {
    const backend = memory()
    await add(backend, key, 1, stampOf('a', 10))
    await add(backend, key, 2, stampOf('b', 10))
    await add(backend, shardOf('k', 1), 4, stampOf('a', 10))
    expect(await totalOf(backend, key)).toBe(3)
    expect(await totalOf(backend, shardOf('k', 1))).toBe(4)
  })

  test('what was forgotten is refused as expired, and so is all that is as old', async () => {
    const backend = memory()
    await add(backend, key, 1, stampOf('old', 10))
    await add(backend, key, 2, stampOf('new', 100, 50))
    expect(await add(backend, key, 1, stampOf('old', 10))).toBe('expired')
    expect(await add(backend, key, 1, stampOf('other', 9))).toBe('expired')
    expect(await add(backend, key, 4, stampOf('other', 11))).toBe('done')
    expect(await totalOf(backend, key)).toBe(7)
  })

  test('what is expired comes with the number that a first attempt must exceed', async () => {
    const backend = memory()
    await add(backend, key, 1, stampOf('old', 10))
    await add(backend, key, 1, stampOf('older', 7))
    await add(backend, key, 2, stampOf('new', 100, 50))
    const late = { shard: key, changes: adding(4), stamp: stampOf('late', 9) }
    expect(await backend.records.write(late, call)).toEqual({ status: 'expired', forgottenUpTo: 10, units: 1 })
    expect(await add(backend, key, 4, stampOf('late', 11))).toBe('done')
  })

  test('a writer is not forgotten by its own write', async () => {
    const backend = memory()
    await add(backend, key, 1, stampOf('other', 90))
    await add(backend, key, 1, stampOf('w', 10, 50))
    expect(await add(backend, key, 1, stampOf('w', 10, 50))).toBe('done')
    expect(await totalOf(backend, key)).toBe(2)
  })

  test('of many old writers a write forgets eight, so that no write pays for all', async () => {
    const backend = memory()
    for (let i = 0; i < 20; i++) await add(backend, key, 1, stampOf(`old${i}`, 10 + i))
    await add(backend, key, 1, stampOf('new', 1_000, 500))
    expect(await add(backend, key, 1, stampOf('old7', 17))).toBe('expired')
    expect(await add(backend, key, 1, stampOf('old8', 18))).toBe('done')
    for (let i = 1; i < 3; i++) await add(backend, key, 1, stampOf('new', 1_000 + i, 500))
    expect(await add(backend, key, 1, stampOf('old19', 29))).toBe('expired')
    expect(await totalOf(backend, key)).toBe(23)
  })
})

describe('seal', () => {
  test('a sealed shard refuses every write that is not in already', async () => {
    const backend = memory()
    await add(backend, key, 5, stampOf('w', 10))
    const contents = await backend.records.seal(key, [totalField], call)
    expect(contents.states).toEqual([5])
    expect(await add(backend, key, 5, stampOf('w', 11))).toBe('sealed')
    expect(await add(backend, key, 5)).toBe('sealed')
    expect(await add(backend, key, 5, stampOf('w', 10))).toBe('done')
    expect(await totalOf(backend, key)).toBe(5)
  })

  test('a shard that was never written is sealed, too', async () => {
    const backend = memory()
    expect((await backend.records.seal(key, [totalField], call)).states).toEqual([undefined])
    expect(await add(backend, key, 5, stampOf('w', 1))).toBe('sealed')
  })

  test('a sealed shard says expired of what it forgot, for that may be in', async () => {
    const backend = memory()
    await add(backend, key, 1, stampOf('old', 10))
    await add(backend, key, 1, stampOf('new', 100, 50))
    await backend.records.seal(key, [totalField], call)
    expect(await add(backend, key, 1, stampOf('old', 10))).toBe('expired')
  })
})

describe('absorb', () => {
  const source = shardOf('k', 1)

  test('contents are taken in once, and recorded', async () => {
    const backend = memory()
    await add(backend, key, 1)
    await add(backend, source, 2)
    const contents = await backend.records.seal(source, [totalField], call)
    await backend.records.absorb(absorbOf(key, source, contents), call)
    await backend.records.absorb(absorbOf(key, source, contents), call)
    expect(await contentsOf(backend, key)).toMatchObject({ states: [3], absorbed: [{ index: 1, generation: 7 }] })
  })

  test('an older generation comes too late, a newer one does not', async () => {
    const backend = memory()
    const contents = { status: 'read', states: [2] } as const
    await backend.records.absorb(absorbOf(key, shardOf('k', 1, 7), contents), call)
    await backend.records.absorb(absorbOf(key, shardOf('k', 1, 6), contents), call)
    expect(await totalOf(backend, key)).toBe(2)
    await backend.records.absorb(absorbOf(key, shardOf('k', 1, 8), contents), call)
    expect(await contentsOf(backend, key)).toMatchObject({ states: [4], absorbed: [{ index: 1, generation: 8 }] })
  })

  test('records of earlier absorptions come along by their highest generation', async () => {
    const backend = memory()
    await backend.records.absorb(absorbOf(key, shardOf('k', 3, 9), { status: 'read', states: [1] }), call)
    const contents = {
      status: 'read',
      states: [2],
      absorbed: [
        { index: 3, generation: 5 },
        { index: 5, generation: 8 },
      ],
    } as const
    await backend.records.absorb(absorbOf(key, source, contents), call)
    const { absorbed } = await contentsOf(backend, key)
    expect(new Set(absorbed)).toEqual(
      new Set([
        { index: 1, generation: 7 },
        { index: 3, generation: 9 },
        { index: 5, generation: 8 },
      ]),
    )
  })

  test('an empty shard is recorded as well', async () => {
    const backend = memory()
    await backend.records.absorb(absorbOf(key, source, { status: 'read', states: [undefined] }), call)
    expect(await contentsOf(backend, key)).toMatchObject({
      states: [undefined],
      absorbed: [{ index: 1, generation: 7 }],
    })
  })

  test('a sealed shard takes in nothing', async () => {
    const backend = memory()
    await backend.records.seal(key, [totalField], call)
    const absorbing = backend.records.absorb(absorbOf(key, source, { status: 'read', states: [2] }), call)
    await expect(absorbing).rejects.toMatchObject({ code: 'BACKEND', kind: 'invalid' })
    expect(await totalOf(backend, key)).toBeUndefined()
  })
})

describe('reads', () => {
  test('a shard that was never written has only undefined states', async () => {
    expect(await contentsOf(memory(), key)).toEqual({
      status: 'read',
      states: [undefined],
      absorbed: undefined,
      units: 1,
    })
  })

  test('shards are answered in the order asked', async () => {
    const backend = memory()
    await add(backend, key, 1)
    await add(backend, shardOf('k', 2), 3)
    const shards = [shardOf('k', 2), shardOf('k', 1), key]
    const answers = await backend.records.read({ shards, fields: [totalField], consistency: 'eventual' }, call)
    expect(answers).toMatchObject([{ states: [3] }, { states: [undefined] }, { states: [1] }])
    expect(answers.map((answer) => answer.status === 'read' && answer.units)).toEqual([0.5, 0.5, 0.5])
  })

  test('a read of no shard, or of more than the maximum, is refused', async () => {
    const backend = memory({ shardsPerReadMax: 2 })
    for (const shards of [[], [key, key, key]]) {
      const reading = backend.records.read({ shards, fields: [totalField], consistency: 'strong' }, call)
      await expect(reading).rejects.toMatchObject({
        kind: 'invalid',
        message: expect.stringContaining('1 to 2 shards') as string,
      })
    }
  })

  test('a field that is stored by another kind of rule fails its shard alone', async () => {
    const backend = memory()
    await add(backend, key, 1)
    const fields = [{ name: 'total', rule: union() as AnyRule }]
    const answers = await backend.records.read({ shards: [key, ownShard('l')], fields, consistency: 'strong' }, call)
    expect(answers.map(({ status }) => status)).toEqual(['failed', 'read'])
    const alone = backend.records.read({ shards: [key], fields, consistency: 'strong' }, call)
    await expect(alone).rejects.toMatchObject({ kind: 'invalid' })
  })
})

describe('writes', () => {
  test('several fields change together, or not at all', async () => {
    const backend = memory()
    const failing = mergeRule<string>({
      empty: '',
      merge: (a, b) => a + b,
      encode: () => {
        throw new Error('cannot encode')
      },
      decode: String,
    }) as AnyRule
    const changes = [...adding(1), { name: 'own', rule: failing, state: 'a' }]
    const writing = backend.records.write({ shard: key, changes, stamp: stampOf('w', 1) }, call)
    await expect(writing).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining('cannot encode') as string,
    })
    expect(await totalOf(backend, key)).toBeUndefined()
    expect(await add(backend, key, 2, stampOf('w', 1))).toBe('done')
    expect(await totalOf(backend, key)).toBe(2)
  })

  test('a write without a change is refused', async () => {
    const writing = memory().records.write({ shard: key, changes: [], stamp: undefined }, call)
    await expect(writing).rejects.toMatchObject({ kind: 'invalid' })
  })

  test("a state of a user's own rule cannot be changed from outside", async () => {
    const backend = memory()
    const list = mergeRule<string[]>({
      empty: [],
      merge: (a, b) => [...a, ...b].toSorted(),
      encode: (state) => JSON.stringify(state),
      decode: (text) => JSON.parse(text) as string[],
    }) as AnyRule
    const field = { name: 'list', rule: list }
    const written = ['a']
    await backend.records.write({ shard: key, changes: [{ ...field, state: written }], stamp: undefined }, call)
    written.push('x')
    const [read] = (await contentsOf(backend, key, [field])).states as string[][]
    read?.push('y')
    expect((await contentsOf(backend, key, [field])).states).toEqual([['a']])
  })

  test('a write takes a unit for each started KB of the whole item', async () => {
    const backend = memory()
    const field = { name: 'tags', rule: union() as AnyRule }
    const units = async (tag: string) => {
      const changes = [{ ...field, state: new Set([tag]) }]
      return (await backend.records.write({ shard: key, changes, stamp: undefined }, call)).units
    }
    expect(await units('a'.repeat(900))).toBe(1)
    expect(await units('b'.repeat(900))).toBe(2)
    expect(await units('c'.repeat(3_000))).toBe(5)
    expect((await contentsOf(backend, key, [field])).units).toBe(2)
  })
})

describe('directory', () => {
  test('a swap takes place only if nothing came between', async () => {
    const { directory } = memory()
    expect(await directory.read(call)).toEqual({ text: undefined, version: undefined })
    const first = await directory.swap(undefined, 'a', call)
    expect(await directory.swap(undefined, 'b', call)).toBeUndefined()
    expect(await directory.read(call)).toEqual({ text: 'a', version: first })
    const second = await directory.swap(first, 'b', call)
    expect(second).not.toBe(first)
    expect(await directory.swap(first, 'c', call)).toBeUndefined()
    expect(await directory.read(call)).toEqual({ text: 'b', version: second })
  })
})

test.each(['shardsPerReadMax', 'writeUnitsPerSecond', 'readUnitsPerSecond', 'keyBytesMax', 'changeBytesMax'])(
  'the option %s is a positive whole number',
  (name) => {
    expect(() => memory({ [name]: 0 })).toThrow(`memory({ ${name} }) must be a positive whole number, but was 0.`)
    expect(() => memory({ [name]: 1.5 })).toThrow(`memory({ ${name} })`)
  },
)
