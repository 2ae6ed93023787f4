import type { WriteStamp } from '../backend/backend.js'
import type { ShardRef } from '../operation.js'
import type { Clock } from '../time/clock.js'
import type { SpoolLog, Ticket } from './spool-log.js'
import { encodeSpooled, type Sending, type SpooledChange } from './spooled.js'

/**
 * Keeps a window that is sent on disk: what is in it, where it goes and under which number, before it goes there. After a
 * crash the same is sent again to the same place, which answers whether it has it already.
 */
export class FlightEntry {
  readonly #log: SpoolLog
  readonly #clock: Clock
  readonly #change: () => SpooledChange
  #tickets: readonly Ticket[]
  #sending: Sending | undefined

  /** `change` gives what is in it, and may throw what a rule of the user's throws. `tickets` are the entries that the window was merged from, or the one that an earlier life has left with `sending`. */
  constructor(
    log: SpoolLog,
    clock: Clock,
    change: () => SpooledChange,
    tickets: readonly Ticket[],
    sending: Sending | undefined,
  ) {
    this.#log = log
    this.#clock = clock
    this.#change = change
    this.#tickets = tickets
    this.#sending = sending
  }

  /** Whether this very place and number are on disk. */
  has(shard: ShardRef, stamp: WriteStamp | undefined): boolean {
    const kept = this.#sending
    return (
      kept !== undefined &&
      kept.stamp?.writer === stamp?.writer &&
      kept.stamp?.sequence === stamp?.sequence &&
      kept.shard.index === shard.index &&
      kept.shard.generation.number === shard.generation.number &&
      kept.shard.generation.nonce === shard.generation.nonce
    )
  }

  /** Puts them there, in place of what was there before. A number that is kept already keeps the time of its first sending. Rejects with `SpoolError`, or what a rule of the user's throws. */
  async keep(shard: ShardRef, stamp: WriteStamp | undefined): Promise<void> {
    const before = this.#sending
    const isSameNumber =
      before !== undefined &&
      before.stamp?.writer === stamp?.writer &&
      before.stamp?.sequence === stamp?.sequence &&
      stamp !== undefined
    const firstSentMs = isSameNumber ? before.firstSentMs : this.#clock.wallMs()
    const sending = { shard, stamp, firstSentMs }
    const ticket = await this.#log.replace(this.#tickets, encodeSpooled({ change: this.#change(), sending }))
    this.#tickets = [ticket]
    this.#sending = sending
  }

  /** It is surely not in: whoever finds it may write it at any time, under a number of its own. Rejects with `SpoolError`; then it stays as it was. */
  async unsend(): Promise<void> {
    this.#tickets = [
      await this.#log.replace(this.#tickets, encodeSpooled({ change: this.#change(), sending: undefined })),
    ]
    this.#sending = undefined
  }

  /** The outcome is known: nothing is left to send after a crash. Rejects with `SpoolError` when that could not be made sure. */
  remove(): Promise<void> {
    return this.#log.remove(this.#tickets)
  }
}
