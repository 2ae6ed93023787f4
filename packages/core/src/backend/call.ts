import type { Call } from './backend.js'
import { rejectOnAbort } from '../internal/abort.js'
import type { Clock, Timer } from '../time/clock.js'
import { asBackendError, BackendError } from './backend-error.js'

/** A call whose abort signal is made only when an adapter asks for it. */
export class LazyCall implements Call {
  #controller: AbortController | undefined
  #isAborted = false

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#isAborted) this.#controller.abort()
    return this.#controller.signal
  }

  /** Tells the adapter that nobody waits any more. */
  abort(): void {
    this.#isAborted = true
    this.#controller?.abort()
  }
}

/**
 * Runs a request that is rare enough for a timer of its own. Rejects with `BackendError`, of kind `unknown` when no answer came
 * in time, and with the signal's reason when that comes first.
 */
export function callWithin<T>(
  clock: Clock,
  timeoutMs: number,
  request: (call: Call) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const call = new LazyCall()
  let timer: Timer
  const answer = new Promise<T>((resolve, reject) => {
    timer = clock.setTimer(() => {
      call.abort()
      reject(new BackendError('unknown', `The backend gave no answer within ${timeoutMs} ms.`))
    }, timeoutMs)
    const settle = (end: () => void) => {
      timer.clear()
      end()
    }
    request(call).then(
      (value) => settle(() => resolve(value)),
      (error: unknown) => settle(() => reject(asBackendError(error))),
    )
  })
  if (signal === undefined) return answer
  return rejectOnAbort(answer, signal, () => {
    timer.clear()
    call.abort()
  })
}
