import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { startRedis } from '@spillway/testkit'
import { expect, test } from 'vitest'

const here = join(import.meta.dirname, '..')

test('the example of the README runs and prints what it says', async () => {
  const server = await startRedis()
  const folder = mkdtempSync(join(here, 'generated-'))
  try {
    const [, code = ''] = /```js\n([\s\S]*?)```/.exec(readFileSync(join(here, '../README.md'), 'utf8')) ?? []
    const file = join(folder, 'example.ts')
    writeFileSync(file, code)
    const env = { ...process.env, REDIS_URL: `redis://${server.host}:${server.port}` }
    const root = join(here, '../../..')
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', file], { cwd: root, env })
    const [, promised] = /console\.log\(.*\) \/\/ (.*)$/m.exec(code) ?? []
    expect(stdout.trim()).toBe(promised)
  } finally {
    rmSync(folder, { recursive: true })
    await server.close()
  }
})
