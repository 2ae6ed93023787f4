export { createTable, enableTtl, type CreateTableOptions, type EnableTtlOptions } from './create-table.js'
export type { DynamoPort } from './client-port.js'
