import { seededRandom } from '@spillway/core/testing'

import { Zipf } from '../lib/zipf.js'
import { type Stream, streamOf, type Touch } from './stream.js'

/** What a stream of moving heat looks like. */
export interface MovingShape {
  readonly keyCount: number
  /** Of the Zipf distribution. */
  readonly exponent: number
  readonly operationsPerSecond: number
  /** The ranks move to other keys so often. */
  readonly moveMs: number
  readonly durationMs: number
}

/** The first ranks, all that are hot by far, go to keys that had none of them before. */
const rankStride = 100

/** Zipf-distributed operations, arriving at random, whose hot keys are others from time to time. */
export function movingZipf(shape: MovingShape, seed: number): Stream {
  const { keyCount, exponent, operationsPerSecond, moveMs, durationMs } = shape
  const random = seededRandom(seed)
  const zipf = new Zipf(keyCount, exponent, random)
  const touches: Touch[] = []
  for (let timeMs = 0; ;) {
    timeMs += (-Math.log(1 - random.next()) * 1_000) / operationsPerSecond
    if (timeMs >= durationMs) break
    const moves = Math.floor(timeMs / moveMs)
    touches.push({ timeMs, key: `key-${(zipf.next() - 1 + moves * rankStride) % keyCount}` })
  }
  return streamOf(`Zipf, other hot keys every ${moveMs / 1_000} s`, durationMs, touches, random)
}
