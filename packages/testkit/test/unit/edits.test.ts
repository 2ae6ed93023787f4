import { describe, expect, test } from 'vitest'

import type { EditFeed, FeedEntry } from '../../src/edits/edit-feed.js'
import { hottestChannel, readEdits } from '../../src/edits/edit-log.js'
import { readBack } from '../../src/edits/edit-read-back.js'
import { EditWatch } from '../../src/edits/edit-watch.js'

const edits = await readEdits(500)
const stored = edits.map(({ sort, edit }) => ({ sort, item: edit }))

/** A feed that holds these entries, which it gives backwards as `backwards` has them. */
function feedOf(entries: readonly FeedEntry[], backwards = entries.toReversed()): EditFeed {
  return {
    put: () => Promise.resolve(),
    putMany: () => Promise.resolve([]),
    page(channel, { limit, cursor = '0' }) {
      const end = Number(cursor) + limit
      const all = inChannel(channel, backwards)
      return Promise.resolve({
        items: all.slice(Number(cursor), end),
        cursor: end < all.length ? String(end) : undefined,
      })
    },
    async *iterate(channel) {
      yield* await Promise.resolve(inChannel(channel, entries))
    },
  }
}

function inChannel(channel: string, entries: readonly FeedEntry[]): readonly FeedEntry[] {
  return entries.filter(({ item }) => item.channel === channel)
}

/** The first line of the hottest channel behind line 100, and one of its neighbours there. */
const [place, next] = stored.flatMap(({ item }, i) => (i > 100 && item.channel === hottestChannel ? [i] : [])) as [
  number,
  number,
]
const isOther = (_: unknown, i: number) => i !== place
const wrong: readonly (readonly [string, readonly FeedEntry[]])[] = [
  ['lost', stored.filter(isOther)],
  ['doubled', stored.toSpliced(place, 0, stored[place]!)],
  ['out of order', stored.with(place, stored[next]!).with(next, stored[place]!)],
]
const changed = stored.with(place, { ...stored[place]!, item: { ...stored[place]!.item, page: '' } })

describe('a collection that is held against the log', () => {
  test('is right when all is there, in order', async () => {
    const back = await readBack(feedOf(stored), edits)
    expect(back).toMatchObject({ editCount: 500, differences: [] })
    expect(back.pageCount).toBe(Math.ceil(back.pagedCount / 70))
  })

  test.each([...wrong, ['another', changed] as const])('is not when an edit is %s', async (_, entries) => {
    expect((await readBack(feedOf(entries), edits)).differences.join()).toMatch(/^#en.wikipedia: .*backwards: /)
    const { differences } = await readBack(feedOf(stored, entries.toReversed()), edits)
    expect(differences.join()).toMatch(/^#en.wikipedia backwards: /)
  })

  test('is right as long as early edits are there, in order, whatever comes to them', async () => {
    const watched = await new EditWatch(feedOf(stored), edits.slice(0, 100)).stop()
    expect(watched).toEqual({ readCount: 1, differences: [] })
  })

  test.each(wrong)('is seen to have an edit %s while it is watched', async (_, entries) => {
    const watched = await new EditWatch(feedOf(entries), edits).stop()
    expect(watched.differences[0]).toMatch(/^read 0, early lines: /)
  })
})
