import { describe, expect, test } from 'vitest'
import { BackendError, type FailureKind, isBackendError, sum } from '../../../src/index.js'
import { asBackendError } from '../../../src/backend/backend-error.js'
import { opened, watch } from '../../doubles/opened.js'

const withoutPrototype: unknown = Object.create(null)
const hostile = Object.defineProperty(new Error('a'), 'message', {
  get() {
    throw new Error('of its own')
  },
})
const ofNoKind = new BackendError('timeout' as FailureKind, 'Too slow.')

describe('an error that no adapter translated', () => {
  test.each([
    [new TypeError('no socket'), 'TypeError: no socket'],
    ['no socket', '"no socket"'],
    [undefined, 'undefined'],
    [Symbol('a'), 'Symbol(a)'],
    [withoutPrototype, 'an object'],
    [hostile, 'something that cannot be shown'],
  ])('means that nobody knows what was done, whatever it is (%#)', (error, shown) => {
    const translated = asBackendError(error)
    expect(translated).toMatchObject({ kind: 'unknown', retryable: true })
    expect(translated.cause).toBe(error)
    expect(translated.message).toBe(`The backend failed in a way that its adapter does not know: ${shown}`)
  })

  test('stays as it is when it is of the contract', () => {
    const error = new BackendError('rejected', 'no')
    expect(asBackendError(error)).toBe(error)
  })

  test('but to a kind that there is not means the same', () => {
    const translated = asBackendError(ofNoKind)
    expect(isBackendError(translated)).toBe(true)
    expect(translated).toMatchObject({ kind: 'unknown', cause: ofNoKind })
    expect(translated.message).toContain('a kind that there is not, "timeout": BackendError: Too slow.')
  })
})

test.each([[ofNoKind], [withoutPrototype]])('whatever a backend rejects with, a client settles (%#)', async (error) => {
  const { client, backend, clock } = await opened()
  const posts = client.records('post', { views: sum() })
  backend.holds.write = true
  backend.holds.read = true
  const done = [watch(posts.write('k', { views: 1 })), watch(posts.read('k')), watch(posts.read('k'))]
  for (let ms = 0; ms < 20_000; ms += 100) {
    for (const held of [...backend.heldWrites.splice(0), ...backend.heldReads.splice(0)]) held.fail(error)
    await clock.advance(100)
  }
  expect(done.map(({ error: reason }) => reason?.code)).toEqual(['WRITE_UNKNOWN', 'READ_FAILED', 'READ_FAILED'])
})
