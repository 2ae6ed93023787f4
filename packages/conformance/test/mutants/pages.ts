import { BackendError, compareSort, type Backend, type ShardPage, type ShardPageAnswer } from '@spillway/core'

import { mutant, withCollections, type Mutant } from './mutant.js'

/** Changes what is asked of every page, and what it answers. */
function withPages(
  ask: (page: ShardPage) => ShardPage,
  answer: (answer: ShardPageAnswer, page: ShardPage) => ShardPageAnswer = (given) => given,
): (backend: Backend) => Backend {
  return withCollections((collections) => ({
    page: async (page, call) => answer(await collections.page(ask(page), call), page),
  }))
}

/** What comes first of a page of so many bytes at most. */
function cutAt(bytesMax: number, answer: ShardPageAnswer): ShardPageAnswer {
  let bytes = 0
  const items = answer.items.filter(({ value }) => {
    bytes += JSON.stringify(value ?? null).length
    return bytes <= bytesMax
  })
  return { ...answer, items }
}

/** Pages by the number of items that were given, not by their sort values. */
function withOffsets(backend: Backend): Backend {
  const offsets = new Map<string, number>()
  return withCollections((collections) => ({
    async page(page, call) {
      const [bound, end] = page.order === 'ascending' ? [page.lower, page.upper] : [page.upper, page.lower]
      const nameFor = (sort: unknown) => JSON.stringify([page.shard, page.order, sort])
      const offset = bound?.isIncluded === false ? offsets.get(nameFor(bound.sort)) : undefined
      if (offset === undefined || end !== undefined) {
        const answer = await collections.page(page, call)
        if (bound === undefined && answer.next !== undefined) offsets.set(nameFor(answer.next), answer.items.length)
        return answer
      }
      const whole = await collections.page({ ...page, lower: undefined, upper: undefined, limit: 1_000 }, call)
      const items = whole.items.slice(offset, offset + page.limit)
      const next = whole.items.length > offset + page.limit ? items.at(-1)?.sort : undefined
      if (next !== undefined) offsets.set(nameFor(next), offset + items.length)
      return { ...whole, items, next }
    },
  }))(backend)
}

export const pageMutants: readonly Mutant[] = [
  mutant(
    'page-bounds',
    'an upper bound is included, whatever it says',
    withPages((page) =>
      page.order === 'ascending' && page.upper !== undefined
        ? { ...page, upper: { ...page.upper, isIncluded: true } }
        : page,
    ),
  ),
  mutant(
    'page-empty',
    'a range upside down is refused',
    withCollections((collections) => ({
      async page(page, call) {
        const { lower, upper } = page
        if (lower !== undefined && upper !== undefined && compareSort(lower.sort, upper.sort) > 0)
          throw new BackendError('invalid', 'The BETWEEN operator requires an upper bound that is not below the lower.')
        return collections.page(page, call)
      },
    })),
  ),
  mutant(
    'page-limit',
    'the limit is not handed on',
    withPages((page) => ({ ...page, limit: 1_000 })),
  ),
  mutant(
    'page-next',
    'a descending page goes on at its wrong end',
    withPages(
      (page) => page,
      (answer, { order }) =>
        order === 'descending' && answer.next !== undefined ? { ...answer, next: answer.items[0]?.sort } : answer,
    ),
  ),
  mutant('page-removed', 'a next page begins behind as many items as came before', withOffsets),
  mutant(
    'page-largest',
    'a page of more than a hundred items is refused',
    withPages((page) => {
      if (page.limit > 100) throw new BackendError('invalid', 'At most 100 items.')
      return page
    }),
  ),
  mutant(
    'page-heavy',
    'what is behind the first megabyte of a page is left out',
    withPages(
      (page) => page,
      (answer) => cutAt(1_048_576, answer),
    ),
  ),
]
