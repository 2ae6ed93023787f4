import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

import { seededRandom } from '@spillway/core/testing'

import { type Stream, streamOf, type Touch } from './stream.js'

/** The log's day passes in so much time. */
const durationMs = { wikipedia: 20_000, nasa: 12_000 }

/** The operations that a line stands for come within so much time. */
const burstMs = 200

/** Edits of Wikipedia by channel; each edit stands for so many operations. */
export function wikipediaStream(seed: number): Stream {
  const lines = linesOf(new URL('../../examples/demo/data/wikiticker.jsonl.gz', import.meta.url))
  const touches = lines.map((line) => {
    const { time, channel } = JSON.parse(line) as { readonly time: string; readonly channel: string }
    return { timeMs: Date.parse(time), key: channel }
  })
  return sped('Wikipedia, edits by channel', touches, { durationMs: durationMs.wikipedia, operationsPerLine: 3, seed })
}

/** Requests to NASA's web server by URL; each request stands for so many operations. */
export function nasaStream(seed: number): Stream {
  const [, ...lines] = linesOf(new URL('../fleet/data/nasa-19950801-url.csv.gz', import.meta.url))
  const touches = lines.map((line) => {
    const [timeText, key] = line.split(',') as [string, string]
    return { timeMs: Number(timeText), key }
  })
  return sped('NASA, requests by URL', touches, { durationMs: durationMs.nasa, operationsPerLine: 6, seed })
}

interface Sped {
  readonly durationMs: number
  readonly operationsPerLine: number
  readonly seed: number
}

function sped(name: string, touches: readonly Touch[], { durationMs, operationsPerLine, seed }: Sped): Stream {
  const random = seededRandom(seed)
  let [beganMs, endedMs] = [Infinity, -Infinity]
  for (const { timeMs } of touches) {
    beganMs = Math.min(beganMs, timeMs)
    endedMs = Math.max(endedMs, timeMs)
  }
  const pace = (durationMs - burstMs) / (endedMs - beganMs)
  const operations = touches.flatMap(({ timeMs, key }) =>
    Array.from({ length: operationsPerLine }, () => ({
      timeMs: (timeMs - beganMs) * pace + random.next() * burstMs,
      key,
    })),
  )
  return streamOf(name, durationMs, operations, random)
}

function linesOf(file: URL): readonly string[] {
  return gunzipSync(readFileSync(file)).toString().trimEnd().split('\n')
}
