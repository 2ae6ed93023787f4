/** Decides between two values of a `latest` field: the greater stamp wins, whichever arrives first. */
export interface Stamp {
  /** Milliseconds since the Unix epoch: the event time, or the hybrid logical clock's. */
  readonly timeMs: number
  /** Orders stamps of one millisecond: the logical part of the clock, or the caller's tie-break. */
  readonly order: number
  /** Who made it; orders what is still equal. */
  readonly writer: string
}

/** Negative, zero or positive as `a` is older than, equal to or newer than `b`. */
export function compareStamps(a: Stamp, b: Stamp): number {
  if (a.timeMs !== b.timeMs) return a.timeMs - b.timeMs
  if (a.order !== b.order) return a.order - b.order
  return a.writer < b.writer ? -1 : a.writer > b.writer ? 1 : 0
}

/** What makes stamps for values that come without an event time. */
export interface StampSource {
  /** A stamp greater than every stamp that this source has made or has been shown. */
  next(): Stamp
  /** The id that stamps with a caller's event time carry. */
  readonly writer: string
}
