import type { Housekeeping } from './housekeeping.js'
import type { ItemParts } from './item-parts.js'

/** What operations need. */
export interface Parts extends ItemParts {
  readonly housekeeping: Housekeeping
}
