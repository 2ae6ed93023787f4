import { BackendError, compareSort, type AppendAnswer } from '@spillway/core'

import { itemAt, mutant, withCollections, type Mutant } from './mutant.js'

const done: AppendAnswer = { status: 'done' }

/** So many items one request takes; nobody sends the rest. */
const itemsMax = 16

export const appendMutants: readonly Mutant[] = [
  mutant(
    'append-all',
    'an append takes its items to be in order, and leaves out those that are not',
    withCollections((collections) => ({
      async append({ items }, call) {
        const inOrder = items.filter(({ sort }, i) => i === 0 || compareSort(items[i - 1]?.sort ?? sort, sort) <= 0)
        await collections.append({ items: inOrder }, call)
        return items.map(() => done)
      },
    })),
  ),
  mutant(
    'append-largest',
    'of a large append the last items are left out',
    withCollections((collections) => ({
      async append({ items }, call) {
        await collections.append({ items: items.slice(0, itemsMax) }, call)
        return items.map(() => done)
      },
    })),
  ),
  mutant(
    'append-again',
    'what is there already is refused',
    withCollections((collections) => ({
      append: ({ items }, call) =>
        Promise.all(
          items.map(async (item): Promise<AppendAnswer> => {
            if ((await itemAt(collections, item, call)) === undefined)
              return collections.put(item, call).then(() => done)
            return { status: 'failed', error: new BackendError('rejected', 'The item is there already.') }
          }),
        ),
    })),
  ),
]
