import { describe, expect, test } from 'vitest'

import { redis, type RedisPort } from '../../src/index.js'
import { itemIn, pageOf, put, take } from '../items.js'
import { failureOf } from '../requests.js'

/** A client that loses its connection once if it `isLost`, sends what was under way again, and then answers as told. */
function answering(answer: () => Promise<unknown>, isLost: boolean): RedisPort {
  let sentCount = 0
  return {
    name: 'answering',
    send: () => {
      sentCount += 1
      return answer()
    },
    sendInOrder: () => Promise.resolve([]),
    sendToPrimaries: () => Promise.resolve([]),
    resendCount: () => (isLost ? Math.min(1, sentCount) : 0),
  }
}

function failing(message: string) {
  return () => Promise.reject(new Error(message))
}

describe.each([
  ['Connection is closed.', 'unknown', 'unknown'],
  ['NOPERM this user has no permissions', 'rejected', 'unknown'],
  ['SPILLWAY The key holds something else.', 'invalid', 'invalid'], // a copy that is in would have found its items
  ['CLUSTERDOWN The cluster is down', 'unavailable', 'unknown'],
])('a change of an item that fails with «%s»', (message, kind, copiedKind) => {
  test.each([
    [kind, false],
    [copiedKind, true],
  ])('is %s where a copy was sent: %s', async (expected, isLost) => {
    const opened = () => redis({ client: answering(failing(message), isLost) })
    for (const change of [put(opened(), 's'), take(opened(), 's', 'remove')])
      expect(await failureOf(change)).toMatchObject({ kind: expected })
  })
})

const failed: unknown = expect.stringMatching(/^(invalid|unavailable)$/)

describe('an answer of another form', () => {
  test.each([['later'], [null], [['later']]])('leaves a change «unknown»: %j', async (answer) => {
    const backend = redis({ client: answering(() => Promise.resolve(answer), false) })
    expect(await failureOf(put(backend, 's'))).toMatchObject({ kind: 'unknown' })
  })

  test.each([['later'], [null], [[null]], [['later', null]]])(
    'fails a look-up, which is no miss: %j',
    async (answer) => {
      const backend = redis({ client: answering(() => Promise.resolve(answer), false) })
      expect(await failureOf(itemIn(backend, 's'))).toMatchObject({ kind: failed })
    },
  )

  test.each([['later'], [null], [[null, 0]], [[null, 0, null]], [[null, 0, ['later']]]])(
    'fails a page: %j',
    async (answer) => {
      const backend = redis({ client: answering(() => Promise.resolve(answer), false) })
      expect(await failureOf(pageOf(backend))).toMatchObject({ kind: failed })
    },
  )
})

test('a writer that Redis would not order is refused before anything is sent', async () => {
  const backend = redis({ client: answering(failing('sent'), false) })
  const { collections } = backend
  const shard = { key: 'k', index: 0, generation: { number: 0, nonce: 0 } }
  const stamp = { timeMs: 1, order: 0, writer: 'é' }
  const call = { signal: new AbortController().signal }
  const putting = collections!.put({ shard, sort: 's', stamp, value: {} }, call)
  expect(await failureOf(putting)).toMatchObject({ kind: 'invalid', message: /printable ASCII/ })
})
