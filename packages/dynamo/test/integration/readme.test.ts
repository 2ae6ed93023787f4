import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { dynamoAccess, startDynalite } from '@spillway/testkit'
import { expect, test } from 'vitest'

import { clientFor, dropTables, newTable } from '../fixtures/tables.js'

const here = join(import.meta.dirname, '..')
const root = join(here, '../../..')

test('the example of the README runs and prints what it says', async () => {
  const engine = await startDynalite()
  const client = clientFor(engine.endpoint)
  const folder = mkdtempSync(join(here, 'generated-'))
  try {
    const [, code = ''] = /```js\n([\s\S]*?)```/.exec(readFileSync(join(here, '../README.md'), 'utf8')) ?? []
    const table = await newTable(client)
    const file = join(folder, 'example.ts')
    writeFileSync(file, code.replaceAll("'app'", `'${table}'`))
    const { region, credentials } = dynamoAccess()
    const env = {
      ...process.env,
      AWS_ENDPOINT_URL_DYNAMODB: engine.endpoint,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    }
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', file], { cwd: root, env })
    const [, promised] = /console\.log\(.*\) \/\/ (.*)$/m.exec(code) ?? []
    expect(stdout.trim()).toBe(promised)
  } finally {
    rmSync(folder, { recursive: true })
    await dropTables(client)
    client.destroy()
    await engine.close()
  }
})
