import { Deferred } from '../internal/deferred.js'
import type { Ticket } from '../spool/spool-log.js'

/** Changes to one key that will be written as one. */
export class Window {
  /** Merged states in the order of the record's fields; undefined where a field is not changed. */
  readonly states: unknown[]
  /** How many changes have been merged. */
  changeCount = 0
  /** How many of them nobody waits for. */
  bufferedCount = 0
  /** Whether it has been counted as demand, but for what it consumes beyond one unit a flight. */
  isCounted = false
  /** About how many bytes it takes. */
  bytes: number
  /** Since when its callers wait, in milliseconds of the client's clock; known where there is a spool. */
  sinceMs = 0
  /** What is on disk of it. Undefined stands for none. */
  tickets: Ticket[] | undefined
  #written: Deferred<void> | undefined

  constructor(states: unknown[], bytes: number) {
    this.states = states
    this.bytes = bytes
  }

  /** One promise for all callers: settles with the write that carries this window. */
  get written(): Promise<void> {
    this.#written ??= new Deferred()
    return this.#written.promise
  }

  /** Takes over what comes with another window, whose states have been merged into its own. */
  take(other: Window, grownBytes: number): void {
    this.bytes += grownBytes
    this.changeCount += other.changeCount
    this.bufferedCount += other.bufferedCount
    if (other.tickets !== undefined) (this.tickets ??= []).push(...other.tickets)
  }

  /** Tells all callers that it is written, or with which error it is not. */
  settle(error: unknown): void {
    if (this.#written === undefined) return
    if (error === undefined) this.#written.resolve()
    else this.#written.reject(error)
  }

  /** Tells those who wait so far that they wait no more; who comes later waits anew. */
  letGo(error: unknown, nowMs: number): void {
    this.settle(error)
    this.#written = undefined
    this.sinceMs = nowMs
  }
}
