import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

import { expect, it } from 'vitest'

import type { Writers } from './ids-process.js'

/** As whom 500 clients of another process write, half of them in a thread of their own. */
async function inProcess(): Promise<Writers> {
  const child = fork(join(import.meta.dirname, 'ids-process.ts'), { execArgv: ['--import', 'tsx'] })
  const [writers] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as [Writers]
  return writers
}

it('gives 1,000 clients of two processes, with a thread each, as many ids of 12 characters', async () => {
  const writers = (await Promise.all(Array.from({ length: 2 }, inProcess))).flat()
  expect(writers.filter((writer) => /^[\w-]{12}$/.test(writer))).toHaveLength(1_000)
  expect(new Set(writers).size).toBe(1_000)
})
