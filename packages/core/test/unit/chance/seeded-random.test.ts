import { expect, test } from 'vitest'
import { seededRandom } from '../../../src/testing.js'
import { refusalsOf } from '../../doubles/refusal.js'

function draw(seed: number): readonly number[] {
  const random = seededRandom(seed)
  return [random.next(), random.next(), random.next()]
}

test('the same seed draws the same numbers, another one others', () => {
  expect(draw(7)).toEqual(draw(7))
  expect(draw(7)).not.toEqual(draw(8))
})

test('a seed that is missing or would be cut off is refused', async () => {
  const cases = { missing: undefined, NaN: Number.NaN, infinite: Infinity, 'a fraction': 0.5, 'a string': '1' }
  expect(await refusalsOf<unknown>(cases, (seed) => seededRandom(seed as number))).toMatchInlineSnapshot(`
    {
      "NaN": "INVALID_ARGUMENT: seed must be a whole number, but was NaN.",
      "a fraction": "INVALID_ARGUMENT: seed must be a whole number, but was 0.5.",
      "a string": "INVALID_ARGUMENT: seed must be a whole number, but was "1".",
      "infinite": "INVALID_ARGUMENT: seed must be a whole number, but was Infinity.",
      "missing": "INVALID_ARGUMENT: seed must be a whole number, but was undefined.",
    }
  `)
})
