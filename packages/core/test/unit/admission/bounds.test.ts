import { describe, expect, test } from 'vitest'
import { Bounds } from '../../../src/admission/bounds.js'
import type { ResolvedLimits } from '../../../src/resolved-options.js'
import { codeOf } from '../../doubles/opened.js'

const enter = () => Promise.resolve()

function bounds(limits: Partial<ResolvedLimits>): Bounds {
  const defaults = { keysMax: 10, bytesMax: 100, atLimit: 'wait', waitersMax: 10 } as const
  const timings = { requestTimeoutMs: 1, writeTimeoutMs: 1, clockSkewMaxMs: 1 }
  return new Bounds({ ...defaults, ...timings, ...limits }, 'write()')
}

describe('bounds', () => {
  test('have room up to exactly keysMax keys', () => {
    const two = bounds({ keysMax: 2 })
    two.enter(1)
    expect(two.hasRoom).toBe(true)
    two.enter(1)
    expect(two.hasRoom).toBe(false)
    expect(two.hasBytes).toBe(true)
    two.leave(1)
    expect(two.hasRoom).toBe(true)
  })

  test('have room up to exactly bytesMax bytes', () => {
    const hundred = bounds({ bytesMax: 100 })
    hundred.enter(60)
    hundred.take(39)
    expect([hundred.hasRoom, hundred.hasBytes]).toEqual([true, true])
    hundred.take(1)
    expect([hundred.hasRoom, hundred.hasBytes]).toEqual([false, false])
    hundred.release(1)
    expect([hundred.hasRoom, hundred.hasBytes]).toEqual([true, true])
  })

  test('let those who wait enter in their order, as many as fit, before anybody new', async () => {
    const one = bounds({ keysMax: 1 })
    const order: string[] = []
    one.enter(0)
    const enter = (name: string) => () => {
      order.push(name)
      one.enter(0)
      return Promise.resolve(name)
    }
    const waiting = ['a', 'b', 'c'].map((name) => one.whenRoom(name, 0, undefined, enter(name)))
    one.leave(0)
    expect(order).toEqual(['a'])
    expect(one.hasRoom).toBe(false)
    one.leave(0)
    one.leave(0)
    expect(await Promise.all(waiting)).toEqual(['a', 'b', 'c'])
    expect(order).toEqual(['a', 'b', 'c'])
    one.leave(0)
    expect(one.hasRoom).toBe(true)
  })

  test('hold those who wait back from those who come while they still wait', () => {
    const hundred = bounds({ bytesMax: 100, keysMax: 2 })
    hundred.enter(100)
    void hundred.whenRoom('a', 0, undefined, () => {
      hundred.enter(100)
      return Promise.resolve()
    })
    void hundred.whenRoom('b', 0, undefined, () => Promise.resolve())
    hundred.release(100)
    expect(hundred.hasRoom).toBe(false)
  })

  test('refuse the caller after waitersMax', async () => {
    const none = bounds({ keysMax: 1, waitersMax: 1 })
    none.enter(0)
    const first = none.whenRoom('a', 0, undefined, () => Promise.resolve('in'))
    await expect(none.whenRoom('b', 0, undefined, () => Promise.resolve())).rejects.toMatchObject({
      code: 'LIMIT_REACHED',
      limit: 'limits.waitersMax',
      max: 1,
      key: 'b',
      retryable: true,
    })
    none.leave(0)
    expect(await first).toBe('in')
  })

  test('refuse at once where the policy says so, and name the bound that was met', async () => {
    const byKeys = bounds({ keysMax: 1, atLimit: 'reject' })
    byKeys.enter(0)
    const byBytes = bounds({ bytesMax: 1, atLimit: 'reject' })
    byBytes.enter(1)
    await expect(byKeys.whenRoom('a', 0, undefined, enter)).rejects.toMatchObject({ limit: 'limits.keysMax', max: 1 })
    await expect(byBytes.whenRoom('a', 0, undefined, enter)).rejects.toMatchObject({ limit: 'limits.bytesMax', max: 1 })
    await expect(byKeys.whenRoom('a', 0, undefined, enter)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[LimitReachedError: limits.keysMax = 1 is reached for key "a". Nothing was sent. Slow down, raise limits.keysMax, or let callers wait with limits.atLimit: 'wait'.]`,
    )
  })

  test('refuse all who wait when they close', async () => {
    const one = bounds({ keysMax: 1 })
    one.enter(0)
    const waiting = ['a', 'b'].map((name) => codeOf(one.whenRoom(name, 0, undefined, () => Promise.resolve())))
    one.close()
    expect(await Promise.all(waiting)).toEqual(['CLOSED', 'CLOSED'])
  })
})
