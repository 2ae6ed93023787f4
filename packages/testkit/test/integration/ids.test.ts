import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'

import { expect, it } from 'vitest'

const script = join(import.meta.dirname, 'ids-process.ts')
const execArgv = ['--import', 'tsx']

/** As whom 100 clients of another process write. */
async function inProcess(): Promise<readonly string[]> {
  const [writers] = (await once(fork(script, { execArgv }), 'message')) as [string[]]
  return writers
}

/** The same of another thread of this process. */
async function inThread(): Promise<readonly string[]> {
  const worker = new Worker(script, { execArgv })
  const [writers] = (await once(worker, 'message')) as [string[]]
  await worker.terminate()
  return writers
}

it('gives 1,000 clients of five processes and five threads as many ids of 12 characters', async () => {
  const places = [...Array.from({ length: 5 }, inProcess), ...Array.from({ length: 5 }, inThread)]
  const writers = (await Promise.all(places)).flat()
  expect(writers.filter((writer) => /^[\w-]{12}$/.test(writer))).toHaveLength(1_000)
  expect(new Set(writers).size).toBe(1_000)
})
