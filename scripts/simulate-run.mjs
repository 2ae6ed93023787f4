import { fork } from 'node:child_process'

const batchSeedsMax = 50

/**
 * Runs worlds in processes until so many seeds, or so many minutes, are over, or so many of them have broken a promise. Answers
 * with what came of them; `onProgress` is told now and then.
 */
export async function runSimulation({ worker, from, seeds, minutes, workers, failuresMax = 1, onProgress = () => {} }) {
  const startedMs = performance.now()
  const endMs = startedMs + minutes * 60_000
  const total = { seedCount: 0, worldMs: 0, counts: {}, failures: [], seconds: 0 }
  let next = from
  const children = Array.from({ length: workers }, () => start(worker))
  const runChild = async (child) => {
    while (total.failures.length < failuresMax && next < from + seeds && performance.now() < endMs) {
      const count = Math.min(batchSeedsMax, from + seeds - next)
      const batch = { from: next, count, isChronicled: false, isEveryFailureWanted: failuresMax > 1 }
      next += count
      const result = await ask(child, batch)
      total.seedCount += result.seedCount
      total.worldMs += result.worldMs
      for (const [name, value] of Object.entries(result.counts)) total.counts[name] = (total.counts[name] ?? 0) + value
      total.seconds = (performance.now() - startedMs) / 1000
      total.failures.push(...result.failures)
      total.failures.sort((a, b) => a.seed - b.seed)
      onProgress(total)
    }
  }
  try {
    await Promise.all(children.map(runChild))
  } finally {
    for (const child of children) if (child.connected) child.disconnect()
  }
  return total
}

/** Runs one seed once more, and tells what happens in its world. */
export async function replay(worker, seed) {
  const child = start(worker)
  try {
    const { failures } = await ask(child, { from: seed, count: 1, isChronicled: true, isEveryFailureWanted: false })
    return failures[0]
  } finally {
    if (child.connected) child.disconnect()
  }
}

/** A process that ends when its channel does. Many small worlds leave much garbage and keep nothing of it. */
function start(worker) {
  return fork(worker, { execArgv: ['--max-semi-space-size=32'] })
}

function ask(child, batch) {
  return new Promise((resolve, reject) => {
    const onExit = (code, signal) => reject(new Error(`A process of the simulation ended with ${code ?? signal}.`))
    child.once('exit', onExit)
    child.once('message', (result) => {
      child.off('exit', onExit)
      resolve(result)
    })
    child.send(batch)
  })
}
