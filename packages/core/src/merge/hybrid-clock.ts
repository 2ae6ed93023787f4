import type { Clock } from '../time/clock.js'
import type { Stamp, StampSource } from './stamp.js'

/**
 * A hybrid logical clock: close to wall time, never behind a stamp that it has seen.
 * Source: Kulkarni et al., «Logical Physical Clocks» (2014).
 */
export class HybridClock implements StampSource {
  /** Who makes the stamps. */
  readonly writer: string
  readonly #clock: Clock
  readonly #skewMaxMs: number
  #timeMs = 0
  #order = 0

  constructor(clock: Clock, writer: string, skewMaxMs: number) {
    this.#clock = clock
    this.writer = writer
    this.#skewMaxMs = skewMaxMs
  }

  next(): Stamp {
    const wallMs = Math.floor(this.#clock.wallMs())
    if (wallMs > this.#timeMs) {
      this.#timeMs = wallMs
      this.#order = 0
    } else this.#order += 1
    return { timeMs: this.#timeMs, order: this.#order, writer: this.writer }
  }

  /** Makes later stamps greater than one that was read. One too far ahead is ignored: it is an event time or a broken clock. */
  observe(stamp: Stamp): void {
    if (stamp.timeMs < this.#timeMs || stamp.timeMs > this.#clock.wallMs() + this.#skewMaxMs) return
    this.#order = stamp.timeMs === this.#timeMs ? Math.max(this.#order, stamp.order) : stamp.order
    this.#timeMs = stamp.timeMs
  }
}
