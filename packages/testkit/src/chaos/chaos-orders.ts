import { after } from '../time/wait.js'

const holdMs = 8_000

/** What a process of a chaos run is to do. */
export interface ChaosOrders {
  /** Makes the table, where one is needed; or works and keeps a ledger; or reads everything back. */
  readonly role: 'prepare' | 'worker' | 'reader'
  /** Where the engine is, as the engine's own script understands it. */
  readonly place: unknown
  /** Begins the name of each of its operations: which process, and which of its lives. */
  readonly name: string
  /** All that it draws comes from it. */
  readonly seed: number
  /** Where it writes its ledger; what it has read back goes beside it. */
  readonly path: string
  /** When the run began, by the machine's clock. */
  readonly beganAtMs: number
  /** Records and items may stand under the same key. */
  readonly mayShareKeys: boolean
  /** How long a caller waits on average before its next call while a key has a burst. */
  readonly pauseMs: number
  /** The reader's: which keys hold something, by kind. */
  readonly keys?: ChaosKeys
}

/** Names of keys, without their prefix. */
export interface ChaosKeys {
  readonly records: readonly string[]
  readonly items: readonly string[]
}

/** A process's orders, and when it has to come to an end. */
export interface ChaosTask {
  readonly orders: ChaosOrders
  /** Is aborted when the parent says that this is the end. */
  readonly finish: AbortSignal
}

/** What this process is to do; until it is told so it has to wait. It ends when whoever told it does. */
export function chaosTask(): Promise<ChaosTask> {
  process.once('disconnect', () => process.exit())
  const finishing = new AbortController()
  return new Promise((resolve) => {
    process.on('message', (message: ChaosOrders | 'finish') => {
      if (message === 'finish') finishing.abort()
      else resolve({ orders: message, finish: finishing.signal })
    })
  })
}

/** Lets this process end by itself, whether its parent does or not; says what holds it if it does not. */
export function endTask(): void {
  process.removeAllListeners('disconnect')
  process.removeAllListeners('message')
  process.disconnect()
  after(holdMs, () => {
    process.stderr.write(
      `all is closed, and yet the process is held by ${process.getActiveResourcesInfo().join(', ')}\n`,
    )
    process.exit(1)
  })
}
