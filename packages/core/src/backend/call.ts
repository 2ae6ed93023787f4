import type { Call } from './backend.js'
import type { Clock } from '../time/clock.js'
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

/** Runs a request that is rare enough for a timer of its own; rejects with kind `unknown` when no answer came in time. */
export function callWithin<T>(clock: Clock, timeoutMs: number, request: (call: Call) => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const call = new LazyCall()
    const timer = clock.setTimer(() => {
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
}
