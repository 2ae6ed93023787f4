import { isDeepStrictEqual } from 'node:util'

import type { Backend } from './backend/backend.js'
import { type ResolvedCollection, resolveCollection } from './collection-options.js'
import { InvalidArgumentError } from './errors/misuse-error.js'
import type { SortType } from './item/sort-value.js'

/** Knows every collection of a client, so that no two of them mix their items. */
export class CollectionRegistry {
  readonly #declared = new Map<string, { readonly resolved: ResolvedCollection; readonly collection: unknown }>()

  /** The collection of this name: the one that is declared already, or what `build` makes. Throws `InvalidArgumentError`. */
  declare(name: string, options: unknown, backend: Backend, build: (resolved: ResolvedCollection) => unknown): unknown {
    const resolved = resolveCollection(name, options, backend)
    const known = this.#declared.get(name)
    if (known !== undefined) {
      if (isSame(known.resolved, resolved)) return known.collection
      throw new InvalidArgumentError(
        `options of collection ${name}`,
        'those that it was declared with before',
        'others',
        'A codec must be the very same object.',
      )
    }
    for (const other of this.#declared.values()) {
      if (other.resolved.prefix !== resolved.prefix) continue
      const expected = 'a prefix that no other collection has'
      const advice = `Collection ${other.resolved.name} has it, and their items would mix.`
      throw new InvalidArgumentError('options.prefix', expected, resolved.prefix, advice)
    }
    const collection = build(resolved)
    this.#declared.set(name, { resolved, collection })
    return collection
  }

  /** The types of the sort values of every collection that may have this key; undefined when none may. */
  sortTypesOf(key: string): readonly SortType[] | undefined {
    const types = new Set<SortType>()
    for (const { resolved } of this.#declared.values()) if (key.startsWith(resolved.prefix)) types.add(resolved.sort)
    return types.size === 0 ? undefined : [...types]
  }
}

function isSame(a: ResolvedCollection, b: ResolvedCollection): boolean {
  return a.codec === b.codec && isDeepStrictEqual({ ...a, codec: undefined }, { ...b, codec: undefined })
}
