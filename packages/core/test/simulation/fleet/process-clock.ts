import type { Clock, Timer } from '../../../src/time/clock.js'
import { SystemClock } from '../../../src/time/system-clock.js'
import { showClocks } from './machine-clocks.js'
import type { VirtualTime } from './virtual-time.js'

/** How a machine's clocks differ from the world's. */
export interface ClockSkew {
  /** Milliseconds of its monotonic clock for each of the world's. */
  readonly rate: number
  /** The same of its wall clock. */
  readonly wallRate: number
  /** How far its wall clock is ahead. */
  readonly wallOffsetMs: number
}

const epochMs = 1_700_000_000_000

/** The clock of one process: the machine's, with the rates, the jumps and the standstills of its own. */
export class ProcessClock implements Clock {
  readonly #time: VirtualTime
  readonly #deliver: (run: () => void) => void
  readonly #skew: ClockSkew
  readonly #machine: SystemClock
  #sinceMs: number
  #monotonicMs = 0
  #wallMs: number
  #isMonotonicFrozen = false
  #isWallFrozen = false

  /** `deliver` hands something to the process, at once or when it goes on. */
  constructor(time: VirtualTime, skew: ClockSkew, deliver: (run: () => void) => void) {
    this.#time = time
    this.#deliver = deliver
    this.#skew = skew
    this.#sinceMs = time.nowMs
    this.#wallMs = epochMs + time.nowMs * skew.wallRate + skew.wallOffsetMs
    this.#show()
    this.#machine = new SystemClock()
  }

  nowMs(): number {
    this.#show()
    return this.#machine.nowMs()
  }

  monotonicMs(): number {
    this.#show()
    return this.#machine.monotonicMs()
  }

  wallMs(): number {
    this.#show()
    return this.#machine.wallMs()
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    const timer = new ProcessTimer(callback, this.#monotonicNow() + Math.max(0, delayMs))
    this.#arm(timer)
    return timer
  }

  /** A suspend begins: one of the two clocks may stand still until `thaw`. */
  freeze(which: 'monotonic' | 'wall' | 'neither'): void {
    this.#settle()
    this.#isMonotonicFrozen = which === 'monotonic'
    this.#isWallFrozen = which === 'wall'
  }

  /** Both clocks go again. */
  thaw(): void {
    this.freeze('neither')
  }

  /** An operator or a time service sets the wall clock. */
  jumpWall(byMs: number): void {
    this.#settle()
    this.#wallMs += byMs
  }

  #arm(timer: ProcessTimer): void {
    const leftMs = (timer.dueMs - this.#monotonicNow()) / this.#skew.rate
    this.#time.after(Math.max(0, leftMs), () => {
      if (!timer.isCleared) this.#deliver(() => this.#fire(timer))
    })
  }

  /** A clock that stood still has put its timers off. */
  #fire(timer: ProcessTimer): void {
    if (timer.isCleared) return
    if (this.#monotonicNow() < timer.dueMs - 0.001) this.#arm(timer)
    else {
      timer.isCleared = true
      timer.callback()
    }
  }

  #show(): void {
    showClocks(this.#monotonicNow(), Math.floor(this.#wallNow()))
  }

  #monotonicNow(): number {
    if (this.#isMonotonicFrozen) return this.#monotonicMs
    return this.#monotonicMs + (this.#time.nowMs - this.#sinceMs) * this.#skew.rate
  }

  #wallNow(): number {
    return this.#isWallFrozen ? this.#wallMs : this.#wallMs + (this.#time.nowMs - this.#sinceMs) * this.#skew.wallRate
  }

  #settle(): void {
    const monotonicMs = this.#monotonicNow()
    this.#wallMs = this.#wallNow()
    this.#monotonicMs = monotonicMs
    this.#sinceMs = this.#time.nowMs
  }
}

class ProcessTimer implements Timer {
  readonly callback: () => void
  readonly dueMs: number
  isCleared = false

  constructor(callback: () => void, dueMs: number) {
    this.callback = callback
    this.dueMs = dueMs
  }

  clear(): void {
    this.isCleared = true
  }

  keepAlive(): void {}
}
