import { isDeepStrictEqual } from 'node:util'

import type { EditFeed, FeedEntry } from './edit-feed.js'
import { hottestChannel, type LoggedEdit } from './edit-log.js'

/** What is stored, held against the log. */
export interface EditReadBack {
  /** Channels that were read. */
  readonly channelCount: number
  /** Edits that were read by iterating over each channel. */
  readonly editCount: number
  /** Edits of the hottest channel that were read backwards, page by page. */
  readonly pagedCount: number
  /** In how many pages. */
  readonly pageCount: number
  /** What is not as the log has it; at most five for each channel. */
  readonly differences: readonly string[]
}

const pageLimit = 70 // no divisor of anything here
const shownMax = 5

/** Reads every channel of these lines in order, and the hottest one backwards by pages, and compares item for item. */
export async function readBack(feed: EditFeed, lines: readonly LoggedEdit[]): Promise<EditReadBack> {
  const channels = new Map(lines.map(({ edit }) => [edit.channel, [] as LoggedEdit[]]))
  for (const line of lines) channels.get(line.edit.channel)?.push(line)
  const found: string[] = []
  let editCount = 0
  for (const [channel, logged] of channels) {
    const entries: FeedEntry[] = []
    for await (const entry of feed.iterate(channel)) entries.push(entry)
    editCount += entries.length
    found.push(...differences(channel, entries, logged.map(entryOf)))
  }
  const { entries, pageCount } = await pagedBackwards(feed)
  const backwards = (channels.get(hottestChannel) ?? []).toReversed()
  found.push(...differences(`${hottestChannel} backwards`, entries, backwards.map(entryOf)))
  return { channelCount: channels.size, editCount, pagedCount: entries.length, pageCount, differences: found }
}

/** Where two lists differ, in words: the first few places. */
export function differences<Entry>(what: string, seen: readonly Entry[], expected: readonly Entry[]): string[] {
  const found = seen.length === expected.length ? [] : [`${what}: ${seen.length} entries, not ${expected.length}`]
  for (let i = 0; i < Math.max(seen.length, expected.length) && found.length < shownMax; i++) {
    if (isDeepStrictEqual(seen[i], expected[i])) continue
    found.push(`${what}: entry ${i} is ${JSON.stringify(seen[i])}, not ${JSON.stringify(expected[i])}`)
  }
  return found
}

async function pagedBackwards(feed: EditFeed): Promise<{ readonly entries: FeedEntry[]; readonly pageCount: number }> {
  const entries: FeedEntry[] = []
  let cursor: string | undefined
  let pageCount = 0
  do {
    const options = { order: 'descending', limit: pageLimit, ...(cursor !== undefined && { cursor }) } as const
    const page = await feed.page(hottestChannel, options)
    entries.push(...page.items)
    pageCount += 1
    cursor = page.cursor
  } while (cursor !== undefined)
  return { entries, pageCount }
}

function entryOf({ sort, edit }: LoggedEdit): FeedEntry {
  return { sort, item: edit }
}
