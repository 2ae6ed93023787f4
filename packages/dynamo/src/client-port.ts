/**
 * What is needed of the AWS SDK's `DynamoDBClient`. Anything that takes the SDK's commands and answers as it does will do: it
 * reads `command.input`, and fails with errors that have the names, fields and `$metadata` of the SDK's. The client stays
 * yours: its region, credentials, sockets and retries are as you made them, and it is never destroyed.
 */
export interface DynamoPort {
  /** Sends one command; rejects as the SDK does. */
  send(command: object, options?: { readonly abortSignal?: AbortSignal }): Promise<unknown>
}
