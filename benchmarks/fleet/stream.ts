import type { Random } from '../../packages/core/src/chance/random.js'

/** Every so-manieth operation on average reads, all others write. */
const operationsPerRead = 5

/** Operations on keys in the order of their times, before anybody is chosen to make them. */
export interface Stream {
  readonly name: string
  readonly durationMs: number
  readonly keys: readonly string[]
  /** When, in whole milliseconds from 0. */
  readonly timesMs: Uint32Array
  /** Which key, by its place in `keys`. */
  readonly keyIndexes: Uint16Array
  /** 1 for a read, 0 for a write. */
  readonly reads: Uint8Array
}

/** An operation that has not been given its kind. */
export interface Touch {
  readonly timeMs: number
  readonly key: string
}

/** The stream of these touches, in the order of their times; a fifth of them read. */
export function streamOf(name: string, durationMs: number, touches: readonly Touch[], random: Random): Stream {
  const inOrder = touches.toSorted((a, b) => a.timeMs - b.timeMs)
  const indexByKey = new Map<string, number>()
  for (const { key } of inOrder) if (!indexByKey.has(key)) indexByKey.set(key, indexByKey.size)
  return {
    name,
    durationMs,
    keys: [...indexByKey.keys()],
    timesMs: Uint32Array.from(inOrder, ({ timeMs }) => Math.min(durationMs - 1, Math.floor(timeMs))),
    keyIndexes: Uint16Array.from(inOrder, ({ key }) => indexByKey.get(key) ?? 0),
    reads: Uint8Array.from(inOrder, () => Number(random.next() * operationsPerRead < 1)),
  }
}
