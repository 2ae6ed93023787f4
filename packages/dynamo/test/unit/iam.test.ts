import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { sum } from '@spillway/core'
import { dynamo } from '@spillway/dynamo'
import { expect, test } from 'vitest'

import { deletion, pageOf, put, secondShard } from '../fixtures/items.js'
import { call, change, field, own } from '../fixtures/records.js'
import { ScriptedClient } from '../fixtures/scripted-client.js'

test('the policy in the README allows what is sent, and nothing else', async () => {
  const client = new ScriptedClient({ Item: { '~z': { N: '1' }, n: { N: '1' } } })
  const backend = dynamo({ client, table: 't', sortKey: 'sk', sortValue: 'record' })
  const { records, collections, directory } = backend
  const total = field('total', sum())
  await backend.open?.(call).catch(() => undefined)
  await directory.read(call)
  await directory.swap(undefined, '{}', call)
  await records.write({ shard: own('k'), changes: [change(total, 1)], stamp: undefined }, call)
  const contents = await records.seal(secondShard, [total], call)
  await records.read({ shards: [own('k'), secondShard], fields: [total], consistency: 'strong' }, call)
  await records.absorb({ target: own('k'), source: secondShard, contents, fields: [total] }, call)
  await records.clear(secondShard, 1, call)
  await collections?.put(put('a', {}, 1), call)
  for (const mode of ['tombstone', 'remove'] as const) await collections?.delete(deletion('a', mode, 1), call)
  for (const shards of [[own('k')], [own('k'), secondShard]])
    await collections?.get({ shards, sort: 'a', consistency: 'strong' }, call)
  await collections?.page(pageOf(), call)
  await collections?.append?.({ items: [put('a', {}, 1)] }, call)
  await backend.close?.()

  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')
  const [, policy = ''] = /## IAM\s+```json\n([\s\S]*?)```/.exec(readme) ?? []
  const { Statement } = JSON.parse(policy) as { Statement: { Action: string[] }[] }
  const sent = new Set(client.sent.map(({ name }) => `dynamodb:${name.replace(/Command$/, '')}`))
  expect(Statement[0]?.Action.toSorted()).toEqual([...sent].toSorted())
})
