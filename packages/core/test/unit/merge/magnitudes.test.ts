import { describe, expect, test } from 'vitest'
import { latest, max, min, type Rules, sum, union } from '../../../src/index.js'
import { opened, watchAll } from '../../doubles/opened.js'
import { refusalsOf } from '../../doubles/refusal.js'
import { unlimited } from '../../doubles/unlimited.js'

/** Fields of the rules that DynamoDB merges under a condition. */
function conditional(count: number): Rules {
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`f${i}`, [max(), min(), latest()][i % 3] as never]),
  )
}

const rules = { views: sum(), weight: sum({ type: 'float' }), high: max(), low: min() }
const beyond = [1e126, -1e126, 1e200, Number.MAX_VALUE, 9e-131, -9e-131, 1e-200, Number.MIN_VALUE]
const atTheEnds = [0, 1e-130, -1e-130, 9.99e125, -9.99e125]

describe('a number that the store does not have', () => {
  test('is refused by itself, and all others of its window are written', async () => {
    const { client, backend, clock } = await opened()
    const posts = client.records('post', rules)
    backend.holds.write = true
    const first = posts.write('a', { views: 1 })
    const callers = watchAll([
      posts.write('a', { views: 1, high: 5 }),
      posts.write('a', { high: 1e200, views: 1 }),
      posts.write('a', { views: 1 }),
      posts.write('a', { low: -3 }),
    ])
    await clock.advance(0)
    expect(callers.map(({ state }) => state)).toEqual(['open', 'rejected', 'open', 'open'])
    expect(callers[1]?.error).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'change["high"]', retryable: false })
    expect(callers[1]?.error?.message).toMatchInlineSnapshot(
      `"change["high"] must be 0 or a number from 1e-130 to 9.99e+125, of either sign, but was 1e+200. The backend stores no others."`,
    )
    backend.holds.write = false
    backend.heldWrites[0]?.pass()
    await first
    await clock.advance(0)
    expect(callers.map(({ state }) => state)).toEqual(['resolved', 'rejected', 'resolved', 'resolved'])
    expect(backend.writes).toHaveLength(2)
    expect(await posts.read('a')).toEqual({ views: 3, weight: 0, high: 5, low: -3 })
  })

  test.each(beyond)('is refused before anything is sent: %d', async (number) => {
    const { client, backend } = await opened()
    const posts = client.records('post', rules)
    for (const change of [{ high: number }, { low: number }, { weight: number }])
      await expect(posts.write('a', change)).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining(`from 1e-130 to 9.99e+125, of either sign, but was ${number}.`) as string,
      })
    expect(backend.writes).toEqual([])
  })

  test.each(beyond)('is taken by a store that has every double: %d', async (number) => {
    const { client } = await opened({ store: unlimited() })
    const posts = client.records('post', rules)
    await posts.write('a', { weight: number, high: number, low: number })
    expect(await posts.read('a')).toEqual({ views: 0, weight: number, high: number, low: number })
  })

  test('may stand inside of what is stored as JSON or text', async () => {
    const { client } = await opened()
    const posts = client.records('post', { title: latest<unknown>(), tags: union() })
    await posts.write('a', { title: [1e200, 1e-200], tags: ['1e200'] })
    expect(await posts.read('a')).toEqual({ title: [1e200, 1e-200], tags: new Set(['1e200']) })
  })
})

test.each(atTheEnds)('a number at the end of what the store has is taken: %d', async (number) => {
  const { client } = await opened()
  const posts = client.records('post', rules)
  await posts.write('a', { weight: number, high: number, low: number })
  expect(await posts.read('a')).toEqual({ views: 0, weight: number, high: number, low: number })
})

test.each([
  ['too large', 9e125, 9e125],
  ['too small', 1.5e-130, -1e-130],
])(
  'a change that makes the float sum of its window %s is refused, and those before it are written',
  async (_, one, other) => {
    const { client, backend, clock } = await opened()
    const posts = client.records('post', rules)
    backend.holds.write = true
    const first = posts.write('a', { views: 1 })
    const callers = watchAll([posts.write('a', { weight: one }), posts.write('a', { weight: other, views: 1 })])
    await clock.advance(0)
    expect(callers.map(({ state }) => state)).toEqual(['open', 'rejected'])
    expect(callers[1]?.error).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'change["weight"]' })
    expect(callers[1]?.error?.message).toContain(`the total of its window stays in range, but was ${one + other}.`)
    backend.holds.write = false
    backend.heldWrites[0]?.pass()
    await first
    await clock.advance(0)
    expect(callers[0]?.state).toBe('resolved')
    expect(await posts.read('a')).toMatchObject({ views: 1, weight: one })
  },
)

describe('more max, min and latest fields than one write changes', () => {
  test('are refused with the declaration, not under load', async () => {
    const { client } = await opened()
    const declare = (declared: Rules) => client.records('post', declared)
    const cases = {
      '65': conditional(65),
      '65 among others': { views: sum(), tags: union(), ...conditional(65) },
    }
    expect(await refusalsOf(cases, declare)).toMatchInlineSnapshot(`
      {
        "65": "INVALID_ARGUMENT: rules of record post must be made of at most 64 max, min and latest fields, which is what one write to the backend may change, but was 65. Declare some of them as another record: under the same prefix it shares the keys.",
        "65 among others": "INVALID_ARGUMENT: rules of record post must be made of at most 64 max, min and latest fields, which is what one write to the backend may change, but was 65. Declare some of them as another record: under the same prefix it shares the keys.",
      }
    `)
    expect(() => declare({ views: sum(), tags: union(), ...conditional(64) })).not.toThrow()
  })

  test('are no matter to a store that has no such limit, and less to one that has a lower one', async () => {
    const free = await opened({ store: unlimited() })
    const posts = free.client.records('post', conditional(256))
    await posts.write('a', Object.fromEntries(Object.keys(conditional(256)).map((name) => [name, 1])))
    expect(Object.values(await posts.read('a'))).toEqual(Array.from({ length: 256 }, () => 1))
    const narrow = await opened({ memory: { conditionalFieldsMax: 2 } })
    expect(() => narrow.client.records('post', conditional(3))).toThrow('at most 2 max, min and latest fields')
  })
})
