import { PerformanceObserver } from 'node:perf_hooks'

const attemptsMax = 10

/**
 * How many bytes of the heap `work` takes, garbage included: what is in use after it less what was before, with a collection
 * just before and none in between. Work that does not fit into the young generation cannot be measured and throws.
 */
export async function bytesTakenBy(work: () => unknown, prepare: () => unknown): Promise<number> {
  if (globalThis.gc === undefined) throw new Error('Run node with --expose-gc.')
  const collectionsMs: number[] = []
  const observer = new PerformanceObserver((list) => {
    for (const { startTime } of list.getEntries()) collectionsMs.push(startTime)
  })
  observer.observe({ entryTypes: ['gc'] })
  try {
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      await prepare()
      globalThis.gc()
      const beganMs = performance.now()
      const before = process.memoryUsage().heapUsed
      await work()
      const bytes = process.memoryUsage().heapUsed - before
      const endedMs = performance.now()
      await nextTurn() // entries are delivered later
      if (!collectionsMs.some((ms) => ms >= beganMs && ms <= endedMs)) return bytes
    }
  } finally {
    observer.disconnect()
  }
  throw new Error(`The heap was collected during each of ${attemptsMax} attempts: measure fewer operations.`)
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2))
}
