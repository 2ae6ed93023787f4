/** Settles as `promise` does, or rejects with the signal's reason if that comes first. The listener is always removed. */
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
    signal.addEventListener('abort', abort, { once: true })
    promise.then(
      (value) => {
        signal.removeEventListener('abort', abort)
        resolve(value)
      },
      (error: unknown) => {
        signal.removeEventListener('abort', abort)
        reject(error)
      },
    )
  })
}

/** The promise has other owners, or an owner who has gone. */
function leftToOthers(): void {}
