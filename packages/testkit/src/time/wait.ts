// The only place of the test kit that knows the machine's time: engines and proxies are real, and so is their time.

/** Resolves after so many milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Runs `callback` after so many milliseconds; does not hold the process. */
export function after(ms: number, callback: () => void): void {
  setTimeout(callback, ms).unref()
}

/**
 * Asks every `everyMs` until the answer is true. An attempt that rejects counts as «not yet». Rejects, with `what` and the last
 * failure in the message, when that takes longer than `timeoutMs`.
 */
export async function waitUntil(
  what: string,
  condition: () => Promise<boolean> | boolean,
  timeoutMs = 20_000,
  everyMs = 25,
): Promise<void> {
  const endMs = performance.now() + timeoutMs
  let failure: Error | undefined
  for (;;) {
    try {
      if (await condition()) return
      failure = undefined
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error))
    }
    if (performance.now() > endMs) {
      const why = failure === undefined ? '' : `: ${failure.message}`
      throw new Error(`Waited ${timeoutMs} ms in vain until ${what}${why}`, { cause: failure })
    }
    await pause(everyMs)
  }
}
