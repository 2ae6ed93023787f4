/** What goes with every request. */
export interface Call {
  /** Aborted when nobody waits for the answer any more. Made on first use: an adapter that cannot abort costs nothing. */
  readonly signal: AbortSignal
}

/** A shard that could not be read; its neighbours could. */
export interface ShardFailure {
  readonly status: 'failed'
  /** A `BackendError`. */
  readonly error: unknown
}

/** A route as it is kept beside the data. */
export interface RouteStamp {
  /** Of two stamps the one with the greater revision stays. */
  readonly revision: number
  /** The core's own: some hundred bytes of ASCII. */
  readonly text: string
}
