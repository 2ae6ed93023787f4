/** What a key holds. */
export type Kind = 'records' | 'items'

/** A key that many callers use at the same time. */
export interface HotKey {
  /** Without its prefix. */
  readonly name: string
  /** It has a burst at present; otherwise a lull. */
  readonly isBursting: boolean
}

/** A key is hot for so long, and its successor from then on: what it holds stays small enough to be read back. */
const lifeMs = 30_000

/** A burst lasts so long, and so does a lull: long enough for a route to grow, and to begin to shrink. */
const burstMs = 6_000

const successions: Readonly<Record<Kind, readonly string[]>> = { records: ['hot0', 'hot1'], items: ['hot0'] }

/** The hot keys of a kind, so long after the run began. */
export function hotKeysAt(kind: Kind, elapsedMs: number, mayShareKeys: boolean): readonly HotKey[] {
  const names = mayShareKeys ? [...successions[kind], 'both'] : successions[kind]
  const passing = names.map((name, i) => {
    const sinceMs = elapsedMs + (i * lifeMs) / names.length
    return { name: `${name}-${Math.floor(sinceMs / lifeMs)}`, isBursting: burstsAt(elapsedMs, i) }
  })
  return [...passing, { name: 'long', isBursting: false }]
}

function burstsAt(elapsedMs: number, index: number): boolean {
  return (Math.floor(elapsedMs / burstMs) + index) % 2 === 0
}

/** One of many keys that are used now and then. */
export function coldKey(draw: () => number): string {
  return `cold${Math.floor(draw() * 1_500)}`
}
