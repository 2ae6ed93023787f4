/** One thing that goes wrong. */
export interface Mishap {
  /** Names it in the summary. */
  readonly kind: string
  /** How often it is drawn among the others. */
  readonly weight: number
  /** Lets it happen, and ends it again. */
  readonly run: (draw: () => number) => Promise<void>
}

/** A real engine, and what can go wrong with it. */
export interface ChaosEngine {
  /** Where processes find it, as their script understands it. */
  readonly place: unknown
  /** Whether records and items may stand under the same key. */
  readonly mayShareKeys: boolean
  /** How long callers wait between two calls, so that the engine is busy and not beyond what it can do. */
  readonly pauseMs: number
  /** Between clients and the engine: they overlap with everything else. */
  readonly network: readonly Mishap[]
  /** In the engine itself: one at a time. */
  readonly inside: readonly Mishap[]
  /** Counts of what was done to single requests, by kind. */
  counts(): Readonly<Record<string, number>>
  /** Ends all that goes wrong between clients and the engine. */
  lift(): Promise<void>
  /** Takes it down. */
  close(): Promise<void>
}
