import type { Harness } from '@spillway/conformance'

/** A fault that somebody's adapter had, in a small backend that has just this. */
export interface KnownFault {
  /** The project it was seen in, and where in it. */
  readonly seenIn: string
  /** What is wrong. */
  readonly fault: string
  /** The rules that it breaks; the first is the one that speaks of it. */
  readonly breaks: readonly [string, ...string[]]
  readonly harness: Harness
}
