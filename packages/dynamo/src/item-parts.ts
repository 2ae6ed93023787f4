import type { Requests } from './requests.js'
import type { Table } from './table.js'

/** What a request to one item needs. */
export interface ItemParts {
  readonly requests: Requests
  readonly table: Table
}
