import { describe, expect, test } from 'vitest'
import { mergeRule, sum } from '../../../src/index.js'
import { codeOf, opened, watch, watchAll } from '../../doubles/opened.js'

/** A rule that refuses what it is told to, where it is told to. */
function touchy(badAt: 'encode' | 'decode' | 'merge' | 'nowhere') {
  const check = (state: string, at: typeof badAt) => {
    if (at === badAt && state.includes('bad')) throw new Error(`${at} does not like it`)
    return state
  }
  return mergeRule<string>({
    empty: '',
    merge: (a, b) => (check(a, 'merge') + check(b, 'merge')).split('').toSorted().join(''),
    encode: (state) => check(state, 'encode'),
    decode: (text) => check(text, 'decode'),
  })
}

describe("a user's rule", () => {
  test.each(['encode', 'decode', 'merge'] as const)('that throws in %s harms only its caller', async (badAt) => {
    const { client, backend, clock } = await opened()
    const posts = client.records('post', { own: touchy(badAt), views: sum() })
    backend.holds.write = true
    const first = watch(posts.write('k', { own: 'a', views: 1 }))
    const writings = watchAll([
      posts.write('k', { own: 'c', views: 10 }),
      posts.write('k', { own: 'bad', views: 100 }),
      posts.write('k', { own: 'd', views: 1_000 }),
    ])
    backend.holds.write = false
    backend.heldWrites[0]?.pass()
    await clock.advance(0)
    expect([first, ...writings].map(({ state }) => state)).toEqual(['resolved', 'resolved', 'rejected', 'resolved'])
    expect(await posts.read('k')).toEqual({ own: 'acd', views: 1_011 })
    expect(await codeOf(posts.write('k', { views: 1 }))).toBe('resolved')
  })

  test('that throws when the store merges fails that write, and nothing after it', async () => {
    const { client } = await opened()
    const posts = client.records('post', { own: touchy('merge'), views: sum() })
    await posts.write('k', { own: 'bad' })
    await expect(posts.write('k', { own: 'a', views: 1 })).rejects.toMatchObject({ code: 'WRITE_REJECTED' })
    await posts.write('k', { views: 2 })
    expect(await posts.read('k')).toEqual({ own: 'bad', views: 2 })
  })

  test('that throws when it is read fails that read, and nothing else', async () => {
    const { client, clock } = await opened()
    let isBad = false
    const rule = mergeRule<string>({
      empty: '',
      merge: (a, b) => a + b,
      encode: (state) => state,
      decode(text) {
        if (isBad) throw new Error('cannot decode')
        return text
      },
    })
    const posts = client.records('post', { own: rule })
    await posts.write('k', { own: 'a' })
    isBad = true
    const reading = watch(posts.read('k'))
    await clock.advance(5_000)
    expect(reading.state).toBe('rejected')
    isBad = false
    expect(await posts.read('k')).toEqual({ own: 'a' })
  })
})
