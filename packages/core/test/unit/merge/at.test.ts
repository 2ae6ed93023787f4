import { describe, expect, test } from 'vitest'
import { at } from '../../../src/index.js'

describe('at', () => {
  test('takes whole milliseconds and a whole order, which is 0 unless it is given', () => {
    expect(at('v', 5)).toMatchObject({ value: 'v', timeMs: 5, order: 0 })
    expect(at('v', -5, 3)).toMatchObject({ timeMs: -5, order: 3 })
  })

  test.each([1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '5', null, undefined, new Date(0)])(
    'refuses the time %s',
    (timeMs) => {
      expect(() => at('v', timeMs as number)).toThrow(/^timeMs must be a whole number of milliseconds since 1970/)
    },
  )

  test.each([0.5, '1', null, 2 ** 53])('refuses the order %s', (order) => {
    expect(() => at('v', 0, order as number)).toThrow(/^order must be a safe integer/)
  })
})
