import type { Clock } from '@spillway/core'

/** The machine's clock, for the simulated network and the partitions. */
export const demoClock: Clock = {
  nowMs: () => performance.now(),
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  setTimer(callback, delayMs, options) {
    const handle = setTimeout(callback, delayMs)
    if (options?.isBackground === true) handle.unref()
    return { clear: () => clearTimeout(handle) }
  },
}
