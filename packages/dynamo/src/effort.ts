import { BackendError, isBackendError, type ThrottleDetail } from '@spillway/core'

import type { HiddenThrottles } from './requests.js'

/** What the requests of one operation have taken so far, together. */
export class Effort {
  #throttles: readonly ThrottleDetail[] | undefined
  /** Capacity units consumed. */
  units = 0
  /** Whether a copy of a write may be in, or may still arrive. */
  hasLostCopies = false

  /** What the store said of each attempt that it throttled, in order; undefined where there was none. */
  get throttles(): HiddenThrottles {
    return this.#throttles
  }

  /** Adds what one request took. */
  spend(units: number | undefined, throttles: HiddenThrottles): void {
    this.units += units ?? 0
    if (throttles !== undefined) this.#throttles = [...(this.#throttles ?? []), ...throttles]
  }
}

/** What a failure of an operation means beside what its earlier requests have met. */
export function failureAfter(effort: Effort, error: unknown): unknown {
  return withThrottles(effort.hasLostCopies ? uncertain(error) : error, effort.throttles)
}

/** What a failure means while a copy of the write may be in, or may still arrive. */
function uncertain(error: unknown): unknown {
  if (!isBackendError(error) || error.kind === 'unknown') return error
  const { message, throttles } = error
  return new BackendError('unknown', `A copy of this write may have been applied. ${message}`, {
    cause: error,
    throttles,
  })
}

/** The same failure, which tells of `earlier` throttles before its own. */
export function withThrottles(error: unknown, earlier: HiddenThrottles): unknown {
  if (earlier === undefined || !isBackendError(error)) return error
  const { kind, message, cause, throttles } = error
  return new BackendError(kind, message, { cause, throttles: [...earlier, ...throttles] })
}
