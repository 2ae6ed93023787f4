import { describe, expect, test } from 'vitest'
import { DeadlineList, type Expiring } from '../../../src/internal/deadline-list.js'

const make = (expire: () => void): Expiring => ({ deadlineMs: 0, before: undefined, after: undefined, expire })

/** Items by name, and the names of those that have expired. */
function listOf(deadlines: Readonly<Record<string, number>>) {
  const list = new DeadlineList(() => undefined)
  const expired: string[] = []
  const items = new Map<string, Expiring>()
  for (const [name, deadlineMs] of Object.entries(deadlines)) {
    const item = make(() => expired.push(name))
    list.add(item, deadlineMs)
    items.set(name, item)
  }
  return { list, expired, items }
}

describe('a list of deadlines', () => {
  test('expires what is due, in order, and nothing twice', () => {
    const { list, expired } = listOf({ a: 10, b: 10, c: 20, d: 30 })
    list.expireUntil(9)
    expect(expired).toEqual([])
    list.expireUntil(10)
    expect(expired).toEqual(['a', 'b'])
    list.expireUntil(29.9)
    list.expireUntil(1_000)
    list.expireUntil(2_000)
    expect(expired).toEqual(['a', 'b', 'c', 'd'])
  })

  test.each([['a'], ['b'], ['c']])('forgets %s wherever it stands', (name) => {
    const { list, expired, items } = listOf({ a: 1, b: 2, c: 3 })
    list.remove(items.get(name)!)
    list.expireUntil(10)
    expect(expired).toEqual(['a', 'b', 'c'].filter((other) => other !== name))
  })

  test('takes in and lets go of items while it expires others', () => {
    const list = new DeadlineList(() => undefined)
    const expired: string[] = []
    const removed = make(() => expired.push('removed'))
    const added = make(() => expired.push('added'))
    const first = make(() => {
      expired.push('first')
      list.remove(removed)
      list.add(added, 5)
    })
    list.add(first, 1)
    list.add(removed, 2)
    list.expireUntil(4)
    expect(expired).toEqual(['first'])
    list.expireUntil(5)
    expect(expired).toEqual(['first', 'added'])
  })
})
