// Problem: a simulated event is over only when every promise reaction it led to has run, and a turn of the event loop for each
//   costs more than the event.
// Scheme: V8 runs its queue of reactions on request. The function behind it is one of its natives, which have to be allowed first.
// Invariants: must be called outside of any reaction, or it does nothing; `outsideReactions` sees to it.
// Source: v8/src/runtime/runtime-test.cc and runtime-promise.cc, `%PerformMicrotaskCheckpoint`.

import { setFlagsFromString } from 'node:v8'
import { Script } from 'node:vm'

setFlagsFromString('--allow-natives-syntax')

/** Runs promise reactions until none is left. */
export const runReactions = new Script('(() => %PerformMicrotaskCheckpoint())').runInThisContext() as () => void

/** Runs synchronous work from where `runReactions` has an effect. Rejects with what it throws. */
export function outsideReactions<T>(work: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        resolve(work())
      } catch (error) {
        reject(error)
      }
    })
  })
}
