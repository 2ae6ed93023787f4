import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

import type { FeedEvent } from './feed-event.js'

/** A line of the log, as far as it is of use here. */
interface Edit {
  readonly time: string
  readonly channel: string
  readonly page: string
  readonly user: string
  readonly delta: number
}

/** The 39,244 edits of Wikipedia that the demo has, by their channels, each in the order of time. */
export function editsByChannel(): ReadonlyMap<string, readonly FeedEvent[]> {
  const log = gunzipSync(readFileSync(join(import.meta.dirname, '../demo/data/wikiticker.jsonl.gz'))).toString()
  const channels = new Map<string, FeedEvent[]>()
  for (const line of log.trimEnd().split('\n')) {
    const { time, channel, page, user, delta } = JSON.parse(line) as Edit
    const event = { actor: user, verb: 'edited', object: page.slice(0, 200), details: { time, delta } }
    const events = channels.get(channel)
    if (events === undefined) channels.set(channel, [event])
    else events.push(event)
  }
  return channels
}
