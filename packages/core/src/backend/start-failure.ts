import { BackendError, isBackendError, isRefusal } from './backend-error.js'

/** A request that a client makes at its start. */
export interface StartStep {
  /** In words, such as `Opening`. */
  readonly step: string
  /** The name of the backend. */
  readonly name: string
  readonly requestTimeoutMs: number
}

/** Runs a step; a `BackendError` then also tells which step of which backend has failed, and what bounds it where time may help. */
export async function duringStart<T>({ step, name, requestTimeoutMs }: StartStep, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (!isBackendError(error)) throw error
    const { kind, message, cause, throttles } = error
    const bound = isRefusal(error) ? '' : `, in one attempt of at most ${requestTimeoutMs} ms (limits.requestTimeoutMs)`
    throw new BackendError(kind, `${step} the backend ${JSON.stringify(name)} failed${bound}: ${message}`, {
      cause,
      throttles,
    })
  }
}
