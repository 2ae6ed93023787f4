import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { expect, test } from 'vitest'

test('what README.md says to run spreads the key, and counts every call once', async () => {
  const main = join(import.meta.dirname, 'main.ts')
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', main])
  expect(stdout).toMatch(/the route of front-page is active: reads cover 4 shards, writes go to 4/)
  expect(stdout).toMatch(/front-page~spillway~\d\.\S+ +\d+/)
  expect(stdout).toMatch(/\nexact\n$/)
})
