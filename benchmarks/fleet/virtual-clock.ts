import type { Clock, Timer } from '@spillway/core'

import type { VirtualTime } from '../../packages/core/test/simulation/fleet/virtual-time.js'

const epochMs = 1_700_000_000_000

/** The clock of all simulated processes, as good as `FakeClock`, but with a heap below it: ten thousand processes set many timers. */
export class VirtualClock implements Clock {
  readonly #time: VirtualTime

  constructor(time: VirtualTime) {
    this.#time = time
  }

  nowMs(): number {
    return this.#time.nowMs
  }

  monotonicMs(): number {
    return this.#time.nowMs
  }

  wallMs(): number {
    return Math.floor(epochMs + this.#time.nowMs)
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    const timer = new VirtualTimer(callback)
    this.#time.after(Math.max(0, delayMs), () => timer.run())
    return timer
  }
}

class VirtualTimer implements Timer {
  #callback: (() => void) | undefined

  constructor(callback: () => void) {
    this.#callback = callback
  }

  run(): void {
    const callback = this.#callback
    this.#callback = undefined
    callback?.()
  }

  clear(): void {
    this.#callback = undefined
  }

  keepAlive(): void {}
}
