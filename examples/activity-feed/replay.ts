// Posts the demo's log to a server that runs: each channel is a feed, all at the same time, each in its own order.

import { editsByChannel } from './edits.js'
import type { FeedEvent } from './feed-event.js'

const eventsPerRequest = 20

async function post(url: string, channel: string, events: readonly FeedEvent[]): Promise<void> {
  const path = `${url}/feeds/${encodeURIComponent(channel)}/events`
  for (let from = 0; from < events.length; from += eventsPerRequest) {
    const body = JSON.stringify(events.slice(from, from + eventsPerRequest))
    const answer = await fetch(path, { method: 'POST', body })
    const text = await answer.text()
    if (answer.status !== 201) throw new Error(`${path}: ${answer.status} ${text}`)
  }
}

const url = process.argv[2] ?? 'http://127.0.0.1:8080'
const beganMs = performance.now()
const channels = [...editsByChannel()]
await Promise.all(channels.map(([channel, events]) => post(url, channel, events)))
const seconds = (performance.now() - beganMs) / 1_000
const count = channels.reduce((sum, [, events]) => sum + events.length, 0)
console.log(`${count} events in ${channels.length} feeds, ${Math.round(count / seconds)} a second`)
