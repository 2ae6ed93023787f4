import { PGlite } from '@electric-sql/pglite'
import { Pool } from 'pg'

import { tableSql, type PostgresClient } from './postgres-backend.js'

/** A PostgreSQL with an empty table, and how to leave it. */
export interface Connection {
  readonly client: PostgresClient
  close(): Promise<void>
}

/**
 * Connects to the PostgreSQL at `url`, or to one in this process when there is none. On a server it makes a schema of its own,
 * which the close drops: nothing of the user's is touched, and two runs do not meet.
 */
export async function connect(url: string | undefined): Promise<Connection> {
  if (url === undefined || url === '') {
    const client = new PGlite()
    await client.query(tableSql)
    return { client, close: () => client.close() }
  }
  const schema = `spillway_example_${process.pid}`
  const client = new Pool({ connectionString: url, application_name: schema, options: `-c search_path=${schema}` })
  client.on('error', () => undefined) // of an idle connection; the next statement gets another one
  await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`)
  await client.query(tableSql)
  return {
    client,
    async close() {
      await client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
      await client.end()
    },
  }
}
