import type { VirtualTime } from './virtual-time.js'

const linesMax = 20_000

/** What happened in a world, as text: kept only when a seed is looked at, for most seeds nobody reads it. */
export class Chronicle {
  readonly lines: string[] = []
  readonly isKept: boolean
  readonly #time: VirtualTime

  constructor(time: VirtualTime, isKept: boolean) {
    this.#time = time
    this.isKept = isKept
  }

  /** Adds a line. Ask `isKept` before making its text. */
  note(who: string, what: string): void {
    if (!this.isKept || this.lines.length >= linesMax) return
    this.lines.push(`${this.#time.nowMs.toFixed(1).padStart(9)}  ${who.padEnd(9)} ${what}`)
  }
}
