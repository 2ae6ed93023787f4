import type { Call } from '@spillway/core'

/** A call that is aborted after so long. Its timer keeps no process alive. */
export function callFor(patienceMs: number): Call {
  return { signal: AbortSignal.timeout(patienceMs) }
}
