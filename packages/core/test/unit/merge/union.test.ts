import { describe, expect, test } from 'vitest'
import { union } from '../../../src/index.js'
import { codeOf, opened } from '../../doubles/opened.js'

describe('union', () => {
  test('collects arrays and sets of strings, and reads as an empty set where nothing was written', async () => {
    const { client } = await opened()
    const posts = client.records('post', { tags: union() })
    expect(await posts.read('a')).toEqual({ tags: new Set() })
    await posts.write('a', { tags: ['x', 'y', 'x'] })
    await posts.write('a', { tags: new Set(['y', '', '__proto__']) })
    expect(await posts.read('a')).toEqual({ tags: new Set(['x', 'y', '', '__proto__']) })
  })

  test('keeps what was written, whatever becomes of the set', async () => {
    const { client } = await opened()
    const posts = client.records('post', { tags: union() })
    const tags = new Set(['x'])
    const writing = posts.write('a', { tags })
    tags.add('later')
    await writing
    const read = (await posts.read('a')).tags as Set<string>
    expect(read).toEqual(new Set(['x']))
    read.add('by a reader')
    expect(await posts.read('a')).toEqual({ tags: new Set(['x']) })
  })

  test.each([
    ['a string', 'abc'],
    ['numbers', [1, 2]],
    ['a lone surrogate', ['\ud800']],
    ['nothing to add', []],
    ['null', null],
    ['an object', { x: true }],
  ])('refuses %s', async (_, tags) => {
    const { client, backend } = await opened()
    const posts = client.records('post', { tags: union() })
    expect(await codeOf(posts.write('a', { tags: tags as string[] }))).toBe('INVALID_ARGUMENT')
    expect(backend.writes).toEqual([])
  })
})
