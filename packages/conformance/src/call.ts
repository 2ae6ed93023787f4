import type { Call } from '@spillway/core'

import { turns } from './time/pause.js'

/** What goes with one request. A signal that all shared would gather the listeners of every client that hears it. */
export function newCall(): Call {
  return { signal: new AbortController().signal }
}

/** Sends a request and aborts it after so many turns of the event loop; at 0 as soon as it is under way. */
export async function sendAborted<T>(request: (call: Call) => Promise<T>, afterTurns = 0): Promise<T> {
  const controller = new AbortController()
  const answer = request({ signal: controller.signal })
  answer.catch(() => undefined) // it is heard below, but not before the turns are over
  await turns(afterTurns)
  controller.abort()
  return answer
}
