import { expect, test } from 'vitest'
import { sum } from '../../../src/index.js'
import { lost, opened, watch } from '../../doubles/opened.js'

test('a record without dedupe sends no stamp, so that a write whose answer was lost may count twice', async () => {
  const { client, clock, backend } = await opened()
  const rough = client.records('rough', { views: sum() }, { prefix: 'rough/', dedupe: false })
  const exact = client.records('exact', { views: sum() }, { prefix: 'exact/' })
  backend.holds.write = true
  const written = [watch(rough.write('k', { views: 1 })), watch(exact.write('k', { views: 1 }))]
  expect(backend.heldWrites.map(({ request }) => request.stamp !== undefined)).toEqual([false, true])
  for (const held of backend.heldWrites.splice(0)) {
    await held.store()
    held.fail(lost)
  }
  await clock.advance(0)
  backend.holds.write = false
  await clock.advance(200)
  expect(written.map(({ state }) => state)).toEqual(['resolved', 'resolved'])
  expect(await rough.read('k')).toEqual({ views: 2 })
  expect(await exact.read('k')).toEqual({ views: 1 })
})

test('the same record is not declared with dedupe and without', async () => {
  const { client } = await opened()
  const rough = client.records('rough', { views: sum() }, { dedupe: false })
  expect(client.records('rough', { views: sum() }, { dedupe: false })).toBe(rough)
  expect(() => client.records('rough', { views: sum() })).toThrowErrorMatchingInlineSnapshot(
    `[InvalidArgumentError: rules of record rough must be those that it was declared with before, but was "views: sum(integer)". They were views: sum(integer), without dedupe. A rule made by mergeRule() must be the very same object.]`,
  )
  expect(() => client.records('other', { n: sum() }, { dedupe: 'no' as never })).toThrowErrorMatchingInlineSnapshot(
    `[InvalidArgumentError: options.dedupe must be a boolean, but was "no".]`,
  )
})
