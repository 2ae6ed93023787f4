import { ownCopy } from './own-copy.js'

/** Runs a batch of operations, one a key; answers how many were served, so that it can be checked. */
export type Batch = (keys: readonly string[]) => number | Promise<number>

/** Every caller is a function of its own that awaits its operation; all of a batch call in one turn, then `flush` is called. */
export function awaitedByEveryCaller(operate: (key: string) => Promise<unknown>, flush?: () => unknown): Batch {
  return ownCopy(awaited)(operate, flush ?? (() => undefined))
}

/** Nobody looks at what the operations return. */
export function notAwaited(operate: (key: string) => unknown): Batch {
  return ownCopy(unawaited)(operate)
}

function awaited(operate: (key: string) => Promise<unknown>, flush: () => unknown): Batch {
  let endedCount = 0
  async function caller(key: string): Promise<void> {
    await operate(key)
    endedCount += 1
  }
  return async (keys) => {
    endedCount = 0
    let last: Promise<void> | undefined
    for (let i = 0; i < keys.length; i++) last = caller(keys[i] as string)
    await flush()
    await last
    return endedCount
  }
}

function unawaited(operate: (key: string) => unknown): Batch {
  return (keys) => {
    for (let i = 0; i < keys.length; i++) operate(keys[i] as string)
    return keys.length
  }
}
