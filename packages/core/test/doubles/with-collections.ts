import type { Backend, CollectionStore } from '../../src/index.js'

/** A backend some of whose requests for items are others. */
export function withCollections(inner: Backend, others: (store: CollectionStore) => Partial<CollectionStore>): Backend {
  const store = inner.collections as CollectionStore
  const bound: CollectionStore = {
    limits: store.limits,
    put: (put, call) => store.put(put, call),
    delete: (deletion, call) => store.delete(deletion, call),
    get: (read, call) => store.get(read, call),
    page: (page, call) => store.page(page, call),
    append: (append, call) => store.append?.(append, call) ?? Promise.resolve([]),
  }
  return { ...inner, collections: { ...bound, ...others(bound) } }
}
