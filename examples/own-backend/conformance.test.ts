import type { Harness } from '@spillway/conformance'
import { describeBackend } from '@spillway/conformance/vitest'
import { placeOf } from '@spillway/core'
import { afterAll } from 'vitest'

import { connect } from './connect.js'
import { postgres, type PostgresClient } from './postgres-backend.js'
import { UnreliableClient, type Trouble } from './unreliable-client.js'

/** What the kit may do to a store that is reached through `inner`; `outage` is how its outages show. */
function harnessOf(inner: PostgresClient, outage: Trouble): Harness {
  let client = new UnreliableClient(inner)
  return {
    async open() {
      await inner.query('TRUNCATE spillway', [])
      client = new UnreliableClient(inner)
      return postgres(client)
    },
    outage: () => client.begin(outage),
    throttle: (_, requestCount) => client.begin('full', { troubled: requestCount }),
    loseAnswers: (_, answeredCount, lostCount) => client.begin('mute', { passed: answeredCount, troubled: lostCount }),
    requestCount: () => client.sentCount,
    async failShard(_, shard) {
      const place = Buffer.from(placeOf(shard))
      const { rows } = await inner.query('SELECT document, NULL AS version FROM spillway WHERE place = $1', [place])
      const put = (document: unknown) =>
        inner.query('UPDATE spillway SET document = $2 WHERE place = $1', [place, document])
      await put('"not a shard"')
      return async () => void (await put(rows[0]?.document))
    },
  }
}

const inProcess = await connect(undefined)
describeBackend('PostgreSQL in the process, now and then unreachable', harnessOf(inProcess.client, 'unreachable'))
describeBackend('PostgreSQL in the process, now and then mute', harnessOf(inProcess.client, 'mute'))
afterAll(() => inProcess.close())

const { DATABASE_URL } = process.env
if (DATABASE_URL !== undefined && DATABASE_URL !== '') {
  const server = await connect(DATABASE_URL)
  describeBackend('PostgreSQL at DATABASE_URL', harnessOf(server.client, 'mute'))
  afterAll(() => server.close())
}
