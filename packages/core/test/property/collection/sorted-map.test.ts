import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { Collection, SortType, SortValues } from '../../../src/index.js'
import { sortBytes, type SortValue } from '../../../src/item/sort-value.js'
import { allOf, spreadCollection } from '../../doubles/spread-collection.js'

interface Numbered {
  readonly n: number
}

/** The reference: a map in the order of the sort bytes. */
class SortedMap {
  readonly #entries = new Map<string, readonly [SortValue, number]>()

  put(sort: SortValue, n: number): void {
    this.#entries.set(hexOf(sort), [sort, n])
  }

  delete(sort: SortValue): void {
    this.#entries.delete(hexOf(sort))
  }

  get(sort: SortValue): number | undefined {
    return this.#entries.get(hexOf(sort))?.[1]
  }

  range(
    from: SortValue | undefined,
    to: SortValue | undefined,
    order: string,
  ): readonly (readonly [SortValue, number])[] {
    const inside = [...this.#entries].filter(
      ([hex]) => (from === undefined || hex >= hexOf(from)) && (to === undefined || hex < hexOf(to)),
    )
    const sorted = inside.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry)
    return order === 'ascending' ? sorted : sorted.toReversed()
  }
}

function hexOf(sort: SortValue): string {
  return Buffer.from(sortBytes(sort)).toString('hex')
}

const sorts = {
  string: fc.string({ unit: 'binary', minLength: 1, maxLength: 3 }),
  number: fc.oneof(fc.integer({ min: -20, max: 20 }), fc.constantFrom(0.5, -0.5, 1e-100, -1e100, 9.9e125)),
  bytes: fc.uint8Array({ minLength: 1, maxLength: 2 }),
} as const

/** Few enough that operations meet. */
function pool<Sort extends SortType>(type: Sort): fc.Arbitrary<readonly SortValues[Sort][]> {
  return fc.array(sorts[type] as unknown as fc.Arbitrary<SortValues[Sort]>, { minLength: 4, maxLength: 24 })
}

const index = fc.nat(23)
const order = fc.constantFrom('ascending' as const, 'descending' as const)
const range = { order, from: fc.option(index, { nil: undefined }), to: fc.option(index, { nil: undefined }) }
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('put' as const), index, n: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), index }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('get' as const), index }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('many' as const),
      indexes: fc.array(index, { maxLength: 12 }),
      n: fc.nat(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('iterate' as const), ...range }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('pages' as const),
      ...range,
      limits: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 }),
    }),
  },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

describe.each(['string', 'number', 'bytes'] as const)('a collection sorted by %s', (type) => {
  it('does what a sorted map does, over one shard and over several', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('cold', 'hot'),
        fc.constantFrom(2, 8, 16),
        pool(type),
        fc.array(step, { maxLength: 60 }),
        async (key, fanout, values, steps) => {
          const { client, items, clock } = await spreadCollection<Numbered, typeof type>(fanout, { sort: type })
          const model = new SortedMap()
          const at = (i: number) => values[i % values.length] as SortValues[typeof type]
          for (const one of steps) {
            await clock.advance(1)
            const [found, expected] = await perform(one, key, items, model, at)
            expect(found).toEqual(expected)
          }
          expect((await allOf(items.iterate(key))).map(({ sort, item }) => [sort, item.n])).toEqual(
            model.range(undefined, undefined, 'ascending'),
          )
          await client.close()
        },
      ),
      { numRuns: 60 },
    )
  })
})

/** Does a step to both; answers with what the collection said and what it should have said. */
async function perform<Sort extends SortType>(
  step: Step,
  key: string,
  items: Collection<Numbered, Sort>,
  model: SortedMap,
  at: (i: number) => SortValues[Sort],
): Promise<readonly [found: unknown, expected: unknown]> {
  switch (step.kind) {
    case 'put':
      await items.put(key, at(step.index), { n: step.n })
      model.put(at(step.index), step.n)
      return [undefined, undefined]
    case 'delete':
      await items.delete(key, at(step.index))
      model.delete(at(step.index))
      return [undefined, undefined]
    case 'get':
      return [(await items.get(key, at(step.index)))?.n, model.get(at(step.index))]
    case 'many': {
      const many = step.indexes.map((i) => ({ sort: at(i), item: { n: step.n } }))
      const outcomes = await items.putMany(key, many)
      for (const { sort } of many) model.put(sort, step.n)
      return [outcomes, many.map(() => ({ status: 'written' }))]
    }
    case 'iterate':
    case 'pages': {
      const from = step.from === undefined ? undefined : at(step.from)
      const to = step.to === undefined ? undefined : at(step.to)
      const options = { order: step.order, ...(from !== undefined && { from }), ...(to !== undefined && { to }) }
      const read =
        step.kind === 'iterate'
          ? await allOf(items.iterate(key, options))
          : await pagesOf(step.limits, (page) => items.page(key, { ...options, ...page }))
      return [read.map(({ sort, item }) => [sort, item.n]), model.range(from, to, step.order)]
    }
    default:
      return step satisfies never
  }
}

type Read<T> = (page: {
  limit: number
  cursor?: string
}) => Promise<{ items: readonly T[]; cursor: string | undefined }>

/** All pages one after the other, their limits by turns. */
async function pagesOf<T>(limits: readonly number[], read: Read<T>): Promise<readonly T[]> {
  const all: T[] = []
  let cursor: string | undefined
  for (let i = 0; ; i++) {
    const limit = limits[i % limits.length] as number
    const page = await read({ limit, ...(cursor !== undefined && { cursor }) })
    expect(page.items.length).toBeLessThanOrEqual(limit)
    all.push(...page.items)
    if (page.cursor === undefined) return all
    cursor = page.cursor
  }
}
