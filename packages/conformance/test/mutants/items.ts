import type { Backend, ItemPart, ItemValue, StoredItem } from '@spillway/core'

import { itemAt, mutant, nameOf, withCollections, withItems, withPuts, type Mutant } from './mutant.js'

/** Changes every part of every item that is read. */
function withParts(change: (part: ItemPart) => ItemPart): (backend: Backend) => Backend {
  return withItems((item) => ({ ...item, value: item.value && (walked(item.value, change) as ItemValue) }))
}

function walked(part: ItemPart, change: (part: ItemPart) => ItemPart): ItemPart {
  if (Array.isArray(part)) return change((part as readonly ItemPart[]).map((each) => walked(each, change)))
  if (typeof part !== 'object' || part === null) return change(part)
  return change(Object.fromEntries(Object.entries(part).map(([name, each]) => [name, walked(each, change)])))
}

/** A copy made by plain assignment, which for one name is something else. */
function assigned(part: ItemPart): ItemPart {
  if (typeof part !== 'object' || part === null || Array.isArray(part)) return part
  const copy: Record<string, ItemPart> = {}
  for (const [name, each] of Object.entries(part)) copy[name] = each
  return copy
}

/** Hands out the same object for the same version of an item. */
function cached(backend: Backend): Backend {
  const kept = new Map<string, StoredItem>()
  return withItems((item, shard) => {
    const name = JSON.stringify([nameOf(shard), item.sort, item.stamp, item.value === undefined])
    if (!kept.has(name)) kept.set(name, item)
    return kept.get(name) as StoredItem
  })(backend)
}

/** Sorts every list of texts where it stands. */
function sortLists(part: ItemPart): void {
  if (typeof part !== 'object' || part === null) return
  if (Array.isArray(part) && part.every((each) => typeof each === 'string')) part.sort()
  for (const each of Object.values(part)) sortLists(each as ItemPart)
}

export const itemMutants: readonly Mutant[] = [
  mutant(
    'item-put-get',
    'a property with the name of a reserved word is lost',
    withPuts((put) => ({
      ...put,
      value: Object.fromEntries(Object.entries(put.value).filter(([name]) => name !== 'count')),
    })),
  ),
  mutant(
    'item-nothing',
    'a get of nothing finds the item before it',
    withCollections((collections) => ({
      async get(read, call) {
        const answers = await collections.get(read, call)
        return Promise.all(
          answers.map(async (answer, i) => {
            const shard = read.shards[i]
            if (answer.status === 'failed' || answer.item !== undefined || shard === undefined) return answer
            const upper = { sort: read.sort, isIncluded: true }
            const before = { sortType: 'string', lower: undefined, upper, order: 'descending', limit: 1 } as const
            const { items } = await collections.page({ shard, ...before, consistency: 'strong' }, call)
            return { ...answer, item: items[0] }
          }),
        )
      },
    })),
  ),
  mutant(
    'item-kinds',
    'an empty list is read as an empty object',
    withParts((part) => (Array.isArray(part) && part.length === 0 ? {} : part)),
  ),
  mutant(
    'item-numbers',
    'a number keeps fifteen digits',
    withParts((part) => (typeof part === 'number' ? Number(part.toPrecision(15)) : part)),
  ),
  mutant('item-names', 'a property __proto__ becomes the prototype', withParts(assigned)),
  mutant(
    'item-whole',
    'a newer item is merged into the older one',
    withCollections((collections) => ({
      async put(put, call) {
        const known = await itemAt(collections, put, call)
        return collections.put({ ...put, value: { ...known?.value, ...put.value } }, call)
      },
    })),
  ),
  mutant('item-readers-own', 'readers of one version share it', cached),
  mutant(
    'item-given',
    'lists of texts are sorted where they stand',
    withCollections((collections) => ({
      put(put, call) {
        const answer = collections.put({ ...put, value: structuredClone(put.value) }, call)
        sortLists(put.value)
        return answer
      },
    })),
  ),
]
