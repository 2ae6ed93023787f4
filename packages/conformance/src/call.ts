import type { Call } from '@spillway/core'

/** What goes with one request. A signal that all shared would gather the listeners of every client that hears it. */
export function newCall(): Call {
  return { signal: new AbortController().signal }
}

/** Sends a request and aborts it once it is under way. */
export function sendAborted<T>(request: (call: Call) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  const answer = request({ signal: controller.signal })
  controller.abort()
  return answer
}
