import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { createTable } from '@spillway/dynamo/setup'
import { startDynalite } from '@spillway/testkit'
import { expect, test } from 'vitest'

import { clientFor } from '../fixtures/tables.js'

const here = join(import.meta.dirname, '..')
const root = join(here, '../../..')

test('the example of the README runs and prints what it says', async () => {
  const engine = await startDynalite()
  const client = clientFor(engine.endpoint)
  const folder = mkdtempSync(join(here, 'generated-'))
  try {
    const [, code = ''] = /```js\n([\s\S]*?)```/.exec(readFileSync(join(here, '../README.md'), 'utf8')) ?? []
    // On an engine that stays, the table of the last run may still be there.
    const refusal: unknown = await createTable({ client, table: 'app' }).catch((error: unknown) => error)
    expect([undefined, 'ResourceInUseException']).toContain((refusal as Error | undefined)?.name)
    const file = join(folder, 'example.ts')
    writeFileSync(file, code.replaceAll("'p1'", `'p${process.pid}-${Date.now()}'`))
    const env = {
      ...process.env,
      AWS_ENDPOINT_URL_DYNAMODB: engine.endpoint,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
    }
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', file], { cwd: root, env })
    const [, promised] = /console\.log\(.*\) \/\/ (.*)$/m.exec(code) ?? []
    expect(stdout.trim()).toBe(promised)
  } finally {
    rmSync(folder, { recursive: true })
    client.destroy()
    await engine.close()
  }
})
