import { randomBytes } from 'node:crypto'

const countDigits = 4
const countMax = 36 ** countDigits - 1
const serverBytes = 6

/**
 * Makes ids such as `2026-11-22T09:08:58.771Z-0003-p2xk7a1q`: the time, how many came before in this millisecond, the server.
 * Those of one server ascend, also when its clock is set back; those of several order as their clocks do, and never meet.
 */
export class EventIds {
  readonly #server = randomBytes(serverBytes).toString('base64url')
  #atMs = 0
  #count = 0

  /** An id that was never given before. */
  next(): string {
    const nowMs = Date.now()
    if (nowMs > this.#atMs || this.#count === countMax) {
      this.#atMs = Math.max(nowMs, this.#atMs + 1)
      this.#count = 0
    } else this.#count += 1
    return `${new Date(this.#atMs).toISOString()}-${this.#count.toString(36).padStart(countDigits, '0')}-${this.#server}`
  }
}
