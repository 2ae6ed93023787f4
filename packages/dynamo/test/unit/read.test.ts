import { sum, type ShardRef } from '@spillway/core'
import { dynamo } from '@spillway/dynamo'
import { expect, test } from 'vitest'

import { call, field, own } from '../fixtures/records.js'
import { ScriptedClient } from '../fixtures/scripted-client.js'

const total = field('total', sum())
const second: ShardRef = { key: 'k', index: 1, generation: { number: 7, nonce: 0xc0ffee } }
const place = { pk: { S: 'k~spillway~1.7.00c0ffee' } }

function read(client: ScriptedClient, shards: readonly ShardRef[]) {
  return dynamo({ client, table: 't' }).records.read({ shards, fields: [total], consistency: 'strong' }, call)
}

test('a shard that a batch left out is a throttle and no miss; its neighbour is read', async () => {
  const client = new ScriptedClient({
    Responses: { t: [{ pk: { S: 'k' }, total: { N: '5' } }] },
    UnprocessedKeys: { t: { Keys: [place] } },
    ConsumedCapacity: [{ TableName: 't', CapacityUnits: 1 }],
  })
  expect(await read(client, [second, own('k')])).toMatchObject([
    { status: 'failed', error: { kind: 'throttled', throttle: { reason: 'UnprocessedKeys', scope: 'other' } } },
    { status: 'read', states: [5], units: 1 },
  ])
})

test('a batch of which nothing was read rejects', async () => {
  const client = new ScriptedClient({ UnprocessedKeys: { t: { Keys: [{ pk: { S: 'k' } }, place] } } })
  await expect(read(client, [own('k'), second])).rejects.toMatchObject({ kind: 'throttled' })
})

test('a field that cannot be taken over fails its shard alone', async () => {
  const client = new ScriptedClient({
    Responses: {
      t: [
        { pk: { S: 'k' }, total: { S: 'many' } },
        { ...place, total: { N: '1.0' } },
      ],
    },
  })
  expect(await read(client, [own('k'), second])).toMatchObject([
    { status: 'failed', error: { kind: 'invalid' } },
    { status: 'read', states: [1] },
  ])
})

test('a read of no shard, or of more than a batch takes, is refused before anything is sent', async () => {
  const client = new ScriptedClient({})
  await expect(read(client, [])).rejects.toMatchObject({ kind: 'invalid' })
  await expect(
    read(
      client,
      Array.from({ length: 101 }, () => second),
    ),
  ).rejects.toMatchObject({ kind: 'invalid' })
  expect(client.sent).toEqual([])
})
