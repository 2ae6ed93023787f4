export { dynamo } from './dynamo-backend.js'
export type { DynamoOptions } from './options.js'
export type { DynamoPort } from './client-port.js'
export type { SocketsFull } from './sockets.js'
