import pLimit from 'p-limit'

import { rejectOnAbort } from './abort.js'

/**
 * Does several works, so many at a time, and answers with what each gave. The first failure, or the caller's signal, rejects and
 * ends the others by the signal that they were given; those that have not begun do not begin.
 */
export async function together<T>(
  works: readonly ((signal: AbortSignal) => Promise<T>)[],
  concurrencyMax: number,
  signal: AbortSignal | undefined,
): Promise<readonly T[]> {
  const ended = new AbortController()
  const limit = pLimit(concurrencyMax)
  const run = async (work: (signal: AbortSignal) => Promise<T>) => {
    ended.signal.throwIfAborted()
    try {
      return await work(ended.signal)
    } catch (error) {
      ended.abort(error)
      throw error
    }
  }
  const all = Promise.all(works.map((work) => limit(run, work)))
  return signal === undefined ? all : rejectOnAbort(all, signal, () => ended.abort(signal.reason))
}
