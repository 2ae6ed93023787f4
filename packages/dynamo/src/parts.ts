import type { DynamoPort } from './client-port.js'
import type { Housekeeping } from './housekeeping.js'
import type { Table } from './table.js'

/** What every request needs. */
export interface Parts {
  readonly client: DynamoPort
  readonly table: Table
  readonly housekeeping: Housekeeping
}
