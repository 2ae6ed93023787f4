import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { expect, test } from 'vitest'

const here = join(import.meta.dirname, '..')

test('the example of the README runs and prints what it says', async () => {
  const folder = mkdtempSync(join(here, 'generated-'))
  try {
    const [, code = ''] = /```js\n([\s\S]*?)```/.exec(readFileSync(join(here, '../README.md'), 'utf8')) ?? []
    const file = join(folder, 'example.ts')
    writeFileSync(file, code)
    const env = { ...process.env, TSX_TSCONFIG_PATH: join(here, '../../../tsconfig.json') }
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', file], { cwd: folder, env })
    const [, promised] = /console\.log\(.*\) \/\/ (.*)$/m.exec(code) ?? []
    expect(stdout.trim()).toBe(promised)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
