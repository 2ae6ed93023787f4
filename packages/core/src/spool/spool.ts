// Problem: a buffered change is acknowledged before it is written, and dies with the process.
// Scheme: the core owns this port. A spool is a small table of numbered texts on a disk; what the texts say, when they are
//   written and what is made of them after a crash is the core's.
// Invariants: a commit is all or nothing, and durable when it resolves; what `open` answers is what all resolved commits have
//   left, in the order of their numbers; one client at a time.
// Cost: one durable commit for all changes that arrive while the one before is under way.
// Source: docs/spool.md; write-ahead logging (Mohan et al., «ARIES», 1992) and group commit.

/** What third parties implement: a place on a disk that survives the process. */
export interface Spool {
  /** So many bytes of buffered changes are kept; beyond, the core refuses more. The place itself needs about twice as many. */
  readonly bytesMax: number
  /**
   * Takes the place for this client alone and answers with what earlier ones have left. Called once, before anything else.
   * Rejects with `SpoolError` when another client lives on it, or when what stands there cannot be read.
   */
  open(): Promise<readonly SpoolEntry[]>
  /**
   * Writes and removes, all of it or nothing; resolves when it is durable. Never called again before it has settled. Once it has
   * rejected, either nothing of it is kept or every later commit rejects, too. Removing what is not there is no error.
   */
  commit(batch: SpoolBatch): Promise<void>
  /** Gives the place up. Called once, after everything else. */
  close(): Promise<void>
}

/** A numbered text. */
export interface SpoolEntry {
  /** A safe integer above 0; never used twice in the life of a client. */
  readonly id: number
  /** Well-formed: it survives UTF-8. */
  readonly text: string
}

/** What changes at once. */
export interface SpoolBatch {
  /** New entries. */
  readonly put: readonly SpoolEntry[]
  /** Numbers of entries that go. */
  readonly remove: readonly number[]
}
