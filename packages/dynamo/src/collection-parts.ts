import type { ItemParts } from './item-parts.js'
import type { SortKey } from './sort-attribute.js'

/** What operations on collections need. */
export interface CollectionParts extends ItemParts {
  readonly sortKey: SortKey
}
