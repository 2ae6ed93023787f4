import type { Housekeeping } from './housekeeping.js'
import type { Requests } from './requests.js'
import type { Table } from './table.js'

/** What a request to one item needs. */
export interface ItemParts {
  readonly requests: Requests
  readonly table: Table
}

/** What operations need. */
export interface Parts extends ItemParts {
  readonly housekeeping: Housekeeping
}
