/** Calls `callback` once, not earlier than `delayMs` from now, unless the function that it answers is called before. */
export type SetTimer = (callback: () => void, delayMs: number) => () => void

/** The machine's timer. */
const systemTimer: SetTimer = (callback, delayMs) => {
  const handle = setTimeout(callback, delayMs)
  return () => clearTimeout(handle)
}

/** What `work` ends with, or what `onTimeout` makes of it when it has not ended within `timeoutMs`. */
export function within<T>(
  timeoutMs: number,
  work: Promise<T>,
  onTimeout: () => T,
  setTimer: SetTimer = systemTimer,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const clear = setTimer(() => resolve(onTimeout()), timeoutMs)
    work.then(resolve, reject).finally(clear)
  })
}
