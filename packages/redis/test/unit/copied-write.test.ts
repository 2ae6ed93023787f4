import { mergeRule, sum, type AnyRule } from '@spillway/core'
import { describe, expect, test } from 'vitest'

import { redis, type RedisPort } from '../../src/index.js'
import { call, failureOf, shardOf, total } from '../requests.js'

const other = { name: 'other', rule: sum() as AnyRule }
const product = mergeRule<number>({ empty: 1, merge: (a, b) => a * b, encode: String, decode: Number })
const factor = { name: 'factor', rule: product as unknown as AnyRule }

/** A client that loses its connection once, sends what was under way again, and then answers as told. */
function resending(answer: () => Promise<unknown>): RedisPort {
  let sentCount = 0
  return {
    name: 'resending',
    send: () => {
      sentCount += 1
      return answer()
    },
    sendInOrder: () => Promise.resolve([]),
    sendToPrimaries: () => Promise.resolve([]),
    resendCount: () => Math.min(1, sentCount),
  }
}

function overflowing(): Promise<never> {
  return Promise.reject(new Error('SPILLWAY 1 would leave the range of 64 bits'))
}

const stamp = { writer: 'w', sequence: 1, forgetUpTo: 0 }

describe('a write whose first copy may be in while the second is refused', () => {
  const changes = [total, other].map((field) => ({ ...field, state: 1 }))

  test('is «unknown» without a number, and never said to have changed nothing', async () => {
    const { records } = redis({ client: resending(overflowing) })
    const message = 'Field "total" would leave the range of 64 bits. A copy sent before may be in.'
    const writing = records.write({ shard: shardOf('k'), changes, stamp: undefined }, call)
    expect(await failureOf(writing)).toEqual({ kind: 'unknown', message })
  })

  test('is refused under a number, for the script would have found the first copy', async () => {
    const { records } = redis({ client: resending(overflowing) })
    const message = 'Field "total" would leave the range of 64 bits. Nothing was changed.'
    const writing = records.write({ shard: shardOf('k'), changes, stamp }, call)
    expect(await failureOf(writing)).toEqual({ kind: 'invalid', message })
  })
})

describe("a user's own rule that is overtaken again and again after a copy was sent twice", () => {
  test.each([
    ['unknown', undefined],
    ['unavailable', stamp],
  ])('is «%s» under the number %o', async (kind, number) => {
    const { records } = redis({ client: resending(() => Promise.resolve(['retry', '2', 'digest'])) })
    const changes = [{ ...factor, state: 3 }]
    const writing = records.write({ shard: shardOf('k'), changes, stamp: number }, call)
    expect(await failureOf(writing)).toMatchObject({ kind, message: /Others changed the key 64 times/ })
  })
})
