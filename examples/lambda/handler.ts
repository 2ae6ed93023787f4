import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { createClient } from '@spillway/core'
import { dynamo } from '@spillway/dynamo'

import { accessFrom, required, routingFrom } from './environment.js'
import { pageRecords } from './page-records.js'

/** What the function is called with: the pages that somebody has looked at, and when. */
export interface Views {
  readonly pages: readonly string[]
  readonly atMs: number
}

// Outside the handler: made once by a cold start, and used by every invocation that this process serves.
export const dynamoDb = new DynamoDBClient({ ...accessFrom(process.env), maxAttempts: 1 }) // retries are Spillway's
export const client = await createClient({
  backend: dynamo({ client: dynamoDb, table: required(process.env, 'TABLE'), checkTable: false }), // nothing asked twice
  routing: routingFrom(process.env),
})
const pages = pageRecords(client)

/** Counts the views. Resolves once all of them are in the table; rejects when one is not, or may not be. */
export async function handler(event: Views): Promise<{ readonly counted: number }> {
  const writes = event.pages.map((page) => pages.write(page, { views: 1, lastViewMs: event.atMs }, { ack: 'buffered' }))
  const accepted = await Promise.allSettled(writes)
  // The process may stand still from the moment this ends, or never run again: nothing may be left in it, whatever was refused.
  const { failures, failureCount } = await client.flush()
  for (const write of accepted) if (write.status === 'rejected') throw write.reason
  if (failureCount > 0) throw new Error(`${failureCount} views were not counted`, { cause: failures[0] })
  return { counted: event.pages.length }
}
