/** Settles as `promise` does, or rejects with the signal's reason if that comes first. Nothing is left on the signal. */
export function rejectOnAbort<T>(promise: Promise<T>, signal: AbortSignal, onAbort?: () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      onAbort?.()
      reject(signal.reason as Error)
    }
    if (signal.aborted) {
      promise.catch(leftToOthers)
      abort()
      return
    }
    const forget = whenAborted(signal, abort)
    promise.then(
      (value) => {
        forget()
        resolve(value)
      },
      (error: unknown) => {
        forget()
        reject(error)
      },
    )
  })
}

/** One listener a signal, however many calls share it: Node warns of a leak from the eleventh on. */
const calls = new WeakMap<AbortSignal, { readonly waiting: Set<() => void>; readonly run: () => void }>()

function whenAborted(signal: AbortSignal, abort: () => void): () => void {
  const shared = calls.get(signal) ?? listen(signal)
  shared.waiting.add(abort)
  return () => {
    shared.waiting.delete(abort)
    if (shared.waiting.size > 0) return
    signal.removeEventListener('abort', shared.run)
    calls.delete(signal)
  }
}

function listen(signal: AbortSignal) {
  const waiting = new Set<() => void>()
  const run = () => {
    for (const abort of waiting) abort()
  }
  const shared = { waiting, run }
  calls.set(signal, shared)
  signal.addEventListener('abort', run, { once: true })
  return shared
}

/** The promise has other owners, or an owner who has gone. */
function leftToOthers(): void {}
