import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { isBackendError, max, sum, type BackendError } from '@spillway/core'
import { dynamo } from '@spillway/dynamo'
import { afterEach, describe, expect, test, vi } from 'vitest'

import { call, change, field, own, stamp } from '../fixtures/records.js'
import { ScriptedClient, sdkError } from '../fixtures/scripted-client.js'

afterEach(() => {
  vi.unstubAllEnvs()
})

const total = field('total', sum())
const kinds = [
  'KeyRangeThroughputExceeded',
  'ProvisionedThroughputExceeded',
  'AccountLimitExceeded',
  'MaxOnDemandThroughputExceeded',
]
const reasons = ['Table', 'Index'].flatMap((where) =>
  ['Read', 'Write'].flatMap((direction) => kinds.map((kind) => where + direction + kind)),
)
const casings = [
  ['ProvisionedThroughputExceededException', 'ThrottlingReasons'],
  ['RequestLimitExceeded', 'ThrottlingReasons'],
  ['ThrottlingException', 'throttlingReasons'],
] as const

async function failureOf(request: Promise<unknown>): Promise<BackendError> {
  const error: unknown = await request.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!isBackendError(error)) throw new Error(`expected a BackendError, not ${String(error)}`)
  return error
}

/** A write and a read that fail alike. */
async function failures(error: Error): Promise<{ write: BackendError; read: BackendError }> {
  const { records } = dynamo({ client: new ScriptedClient(error), table: 't' })
  return {
    write: await failureOf(records.write({ shard: own('k'), changes: [change(total, 1)], stamp: stamp('w', 1) }, call)),
    read: await failureOf(records.read({ shards: [own('k')], fields: [total], consistency: 'strong' }, call)),
  }
}

describe('throttles', () => {
  test.each(casings.flatMap(([name, list]) => reasons.map((reason) => [reason, name, list] as const)))(
    '%s of a %s in %s is told with its reason and resource',
    async (reason, name, list) => {
      const resource = `arn:aws:dynamodb:eu-west-1:1:table/t${reason.startsWith('Index') ? '/index/i' : ''}`
      const error = sdkError(name, { [list]: [{ reason, resource }] }, 1, 400)
      for (const failure of Object.values(await failures(error))) {
        expect(failure.kind).toBe('throttled')
        const where = /^(Table|Index)(Read|Write)KeyRange/.exec(reason)?.[1]
        const scope = where === undefined ? 'other' : where === 'Table' ? 'key-range' : 'index-key-range'
        expect(failure.throttle).toEqual({ reason, resource, scope })
      }
    },
  )

  test('of several reasons the one that spreading cures is told', async () => {
    const throttlingReasons = ['IndexWriteKeyRangeThroughputExceeded', 'TableWriteKeyRangeThroughputExceeded'].map(
      (reason) => ({ reason, resource: reason.slice(0, 5) }),
    )
    const { write } = await failures(sdkError('ThrottlingException', { throttlingReasons }, 1, 400))
    expect(write.throttle).toEqual({
      reason: 'TableWriteKeyRangeThroughputExceeded',
      resource: 'Table',
      scope: 'key-range',
    })
  })

  test('else the key range of an index, which the application can spread, before what concerns all of it', async () => {
    const throttlingReasons = ['TableWriteMaxOnDemandThroughputExceeded', 'IndexWriteKeyRangeThroughputExceeded'].map(
      (reason) => ({ reason, resource: reason.slice(0, 5) }),
    )
    const { write } = await failures(sdkError('ThrottlingException', { throttlingReasons }, 1, 400))
    expect(write.throttle).toMatchObject({ resource: 'Index', scope: 'index-key-range' })
  })

  test('a throttle without reasons goes by its name and names no key range', async () => {
    const { write } = await failures(sdkError('ProvisionedThroughputExceededException', {}, 1, 400))
    expect(write.kind).toBe('throttled')
    expect(write.throttle).toEqual({ reason: 'ProvisionedThroughputExceededException', scope: 'other' })
  })

  test('after copies that nobody saw, a throttled write is unknown and keeps what was said; a read is throttled', async () => {
    const reason = 'TableWriteKeyRangeThroughputExceeded'
    const { write, read } = await failures(
      sdkError('ThrottlingException', { throttlingReasons: [{ reason, resource: 'r' }] }, 3, 400),
    )
    expect(write.kind).toBe('unknown')
    expect(write.throttle).toEqual({ reason, resource: 'r', scope: 'key-range' })
    expect(read.kind).toBe('throttled')
  })
})

describe('failures and what they mean', () => {
  test.each([
    ['InternalServerError', sdkError('InternalServerError', {}, 1, 500), 'unknown', 'unavailable'],
    ['ServiceUnavailable', sdkError('ServiceUnavailable', {}, 1, 503), 'unknown', 'unavailable'],
    ['a 502 of no name', sdkError('Unknown', {}, 1, 502), 'unknown', 'unavailable'],
    ['TimeoutError', sdkError('TimeoutError'), 'unknown', 'unavailable'],
    ['AbortError', sdkError('AbortError'), 'unknown', 'unavailable'],
    ['ECONNRESET', sdkError('Error', { code: 'ECONNRESET' }), 'unknown', 'unavailable'],
    ['EPIPE', sdkError('Error', { code: 'EPIPE' }), 'unknown', 'unavailable'],
    ['an error nobody knows', new TypeError('odd'), 'unknown', 'unavailable'],
    ['ECONNREFUSED', sdkError('Error', { code: 'ECONNREFUSED' }), 'unavailable', 'unavailable'],
    [
      'TransactionConflictException',
      sdkError('TransactionConflictException', {}, 1, 400),
      'unavailable',
      'unavailable',
    ],
    ['ValidationException', sdkError('ValidationException', {}, 1, 400), 'invalid', 'invalid'],
    ['ResourceNotFoundException', sdkError('ResourceNotFoundException', {}, 1, 400), 'invalid', 'invalid'],
    ['AccessDeniedException', sdkError('AccessDeniedException', {}, 1, 400), 'rejected', 'rejected'],
    ['CredentialsProviderError', sdkError('CredentialsProviderError'), 'rejected', 'rejected'],
    ['a 400 of no known name', sdkError('NewException', {}, 1, 400), 'rejected', 'rejected'],
    ['ECONNREFUSED after a lost copy', sdkError('Error', { code: 'ECONNREFUSED' }, 2), 'unknown', 'unavailable'],
  ] as const)('%s', async (_, error, writeKind, readKind) => {
    const { write, read } = await failures(error)
    expect([write.kind, read.kind]).toEqual([writeKind, readKind])
    expect(write.cause).toBe(error)
  })
})

test.each([
  [undefined, 'Region is missing'],
  ['eu west 1', 'Region not accepted'],
])('a client of the SDK with the region %s can never send anything', async (region, why) => {
  vi.stubEnv('AWS_REGION', undefined)
  vi.stubEnv('AWS_DEFAULT_REGION', undefined)
  vi.stubEnv('AWS_CONFIG_FILE', '/dev/null')
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/dev/null')
  const { records } = dynamo({ client: new DynamoDBClient(region === undefined ? {} : { region }), table: 't' })
  const written = records.write({ shard: own('k'), changes: [change(total, 1)], stamp: stamp('w', 1) }, call)
  await expect(written).rejects.toMatchObject({ kind: 'invalid', message: expect.stringContaining(why) as string })
})

/** A condition that did not hold. */
function failed(item?: object, attempts = 1): Error {
  return sdkError('ConditionalCheckFailedException', { Item: item }, attempts, 400)
}

/** A number as an attribute. */
function number(value: number) {
  return { N: String(value) }
}

describe('a failed condition', () => {
  const ours = stamp('w', 5)
  const write = (client: ScriptedClient, shard = own('k')) =>
    dynamo({ client, table: 't' }).records.write({ shard, changes: [change(total, 1)], stamp: ours }, call)

  test('means done where the item has the number, also when it has to be read first', async () => {
    const item = { '~ww': number(ours.sequence) }
    expect((await write(new ScriptedClient(failed(item)))).status).toBe('done')
    const client = new ScriptedClient(failed(), { Item: item, ConsumedCapacity: { CapacityUnits: 1 } })
    expect(await write(client)).toEqual({ status: 'done', units: 1 })
    expect(client.sent.map(({ name }) => name)).toEqual(['UpdateItemCommand', 'GetItemCommand'])
    expect(client.sent[1]?.input['ConsistentRead']).toBe(true)
  })

  test('means done before expired before sealed', async () => {
    const sealed = { '~z': number(1) }
    const forgotten = { ...sealed, '~g': number(ours.sequence) }
    const second = { ...own('k'), index: 1 }
    expect(await write(new ScriptedClient(failed(sealed)), second)).toEqual({ status: 'sealed', units: 0 })
    expect(await write(new ScriptedClient(failed(forgotten)), second)).toMatchObject({
      status: 'expired',
      forgottenUpTo: ours.sequence,
    })
    const done = { ...forgotten, '~ww': number(ours.sequence) }
    expect(await write(new ScriptedClient(failed(done)), second)).toMatchObject({ status: 'done' })
  })

  test('after a lost copy, and with an item that cannot be read, means unknown', async () => {
    const client = new ScriptedClient(failed(undefined, 2), sdkError('ThrottlingException', {}, 1, 400))
    expect((await failureOf(write(client))).kind).toBe('unknown')
    const first = new ScriptedClient(failed(undefined), sdkError('ThrottlingException', {}, 1, 400))
    expect((await failureOf(write(first))).kind).toBe('throttled')
  })

  test('after a lost copy leaves every later failure of the write unknown: that copy may still arrive', async () => {
    const highest = field('highest', max())
    const writeBoth = (client: ScriptedClient) =>
      dynamo({ client, table: 't' }).records.write(
        { shard: own('k'), changes: [change(total, 1), change(highest, 1)], stamp: ours },
        call,
      )
    const lost = failed({ highest: number(5) }, 2)
    const reason = { reason: 'TableWriteKeyRangeThroughputExceeded', resource: 'r' }
    const throttled = sdkError('ThrottlingException', { throttlingReasons: [reason] }, 1, 400)
    expect(await failureOf(writeBoth(new ScriptedClient(lost, throttled)))).toMatchObject({
      kind: 'unknown',
      throttle: { scope: 'key-range' },
    })
    const unlost = failed({ highest: number(5) })
    expect((await failureOf(writeBoth(new ScriptedClient(unlost, throttled)))).kind).toBe('throttled')
  })

  test('after a lost copy means unknown where the number is forgotten: that copy may have been in before', async () => {
    const forgotten = { '~g': number(ours.sequence) }
    expect((await failureOf(write(new ScriptedClient(failed(forgotten, 2))))).kind).toBe('unknown')
    expect((await write(new ScriptedClient(failed(forgotten)))).status).toBe('expired')
  })

  test('that goes on failing while nothing changes is given up as unavailable after one more round', async () => {
    const client = new ScriptedClient(failed({}))
    expect(await failureOf(write(client))).toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('nothing there has changed') as string,
    })
    expect(client.sent).toHaveLength(2)
  })
})
