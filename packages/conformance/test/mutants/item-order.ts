import { compareSort, type Backend, type SortValue } from '@spillway/core'

import { mutant, withCollections, type Mutant } from './mutant.js'

type Compare = (a: SortValue, b: SortValue) => number

/** Orders the items of every page in another way. */
function withOrder(compare: Compare): (backend: Backend) => Backend {
  return withCollections((collections) => ({
    async page(page, call) {
      const { lower, upper, order, limit } = page
      const all = await collections.page({ ...page, lower: undefined, upper: undefined, limit: 1_000 }, call)
      const direction = order === 'ascending' ? 1 : -1
      const items = all.items
        .filter(({ sort }) => lower === undefined || compare(sort, lower.sort) >= (lower.isIncluded ? 0 : 1))
        .filter(({ sort }) => upper === undefined || compare(upper.sort, sort) >= (upper.isIncluded ? 0 : 1))
        .toSorted((a, b) => direction * compare(a.sort, b.sort))
      const given = items.slice(0, limit)
      return { ...all, items: given, next: items.length > limit ? given.at(-1)?.sort : undefined }
    },
  }))
}

function sign(isBefore: boolean, isSame: boolean): number {
  return isSame ? 0 : isBefore ? -1 : 1
}

const byUnits: Compare = (a, b) => (typeof a === 'string' ? sign(a < b, a === b) : compareSort(a, b))
const asText: Compare = (a, b) => (typeof a === 'number' ? sign(String(a) < String(b), a === b) : compareSort(a, b))
const signed: Compare = (a, b) =>
  a instanceof Uint8Array && b instanceof Uint8Array ? compareSort(flipped(a), flipped(b)) : compareSort(a, b)

function flipped(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => byte ^ 0x80)
}

export const itemOrderMutants: readonly Mutant[] = [
  mutant('order-strings', 'strings are ordered by their units of UTF-16', withOrder(byUnits), ['page-bounds']),
  mutant('order-numbers', 'numbers are ordered as text', withOrder(asText), ['page-bounds']),
  mutant('order-bytes', 'bytes are ordered as signed numbers', withOrder(signed), ['page-bounds', 'item-longest-sort']),
]
