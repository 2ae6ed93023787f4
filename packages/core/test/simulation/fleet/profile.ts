// What a world is made of; draw-profile.ts draws it.

/** How the network treats requests. */
export interface NetworkFaults {
  /** A request, and an answer, takes 1 to so many milliseconds. */
  readonly delayMaxMs: number
  /** How many of them take up to `slowMaxMs` instead. */
  readonly slow: number
  readonly slowMaxMs: number
  /** How many requests, and how many answers, get lost. */
  readonly loseRequest: number
  readonly loseAnswer: number
  /** How many are delivered once more, up to `duplicateMaxMs` later. */
  readonly duplicate: number
  readonly duplicateMaxMs: number
  /** How many of a batch's shards are left out of the answer. */
  readonly leaveOut: number
  /** Whether only places of data are slow or lose messages, as hot partitions do, and not the directory. */
  readonly isDirectorySpared: boolean
}

/** How often what is done, relative to each other. */
export interface Weights {
  readonly write: number
  readonly read: number
  readonly put: number
  readonly delete: number
  readonly get: number
  readonly scan: number
  readonly announce: number
  readonly drain: number
  readonly crash: number
  readonly pause: number
  readonly suspend: number
  readonly partition: number
  readonly blind: number
  readonly lag: number
  readonly throttle: number
  readonly outage: number
  readonly contention: number
  readonly jumpWall: number
  readonly forget: number
}

/** What all processes of a world agree upon. */
export interface Timings {
  /** How often a process looks what is to be done. */
  readonly tickMs: number
  readonly refreshMs: number
  readonly leaseMs: number
  readonly retryHorizonMs: number
  readonly sealRetentionMs: number
  readonly requestTimeoutMs: number
  readonly writeTimeoutMs: number
  readonly shardTimeoutMs: number
}

/** A world to be made. */
export interface Profile {
  readonly processCount: number
  /** How many of them may be disturbed, and have a bad network; the others carry on. */
  readonly disturbedCount: number
  readonly stepCount: number
  /** The pause between two steps is up to this long. */
  readonly gapMaxMs: number
  readonly recordKeys: readonly string[]
  readonly itemKeys: readonly string[]
  readonly sorts: readonly string[]
  readonly timings: Timings
  readonly windowMs: number
  readonly fanoutMax: number
  readonly shardsPerReadMax: number
  /** A page of a shard has so many items at most. */
  readonly itemsPerPageMax: number
  /** A fault lasts up to so long. */
  readonly faultMaxMs: number
  /** Whether the rates of monotonic clocks differ. */
  readonly isRateSkewed: boolean
  /** Wall clocks are up to so far from the world's. */
  readonly wallSkewMs: number
  /** Whether the store may lose its newest changes of the directory, and keeps stamps against it. */
  readonly isForgetful: boolean
  /** Whether the processes find out for themselves what is hot. */
  readonly isSelfGoverned: boolean
  /** Whether one of them leads: it takes the steps of a route without patience, and merges back what nobody writes. */
  readonly isLed: boolean
  /** Whether all is looked at once more when tombstones and sealed places are gone. */
  readonly isSeenLater: boolean
  readonly network: NetworkFaults
  readonly weights: Weights
}

/** A stamp so far ahead is not followed; where items show it, walls differ by less. */
export const clockSkewMaxMs = 1_000
