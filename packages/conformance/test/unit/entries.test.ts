// The entries, each in a process of its own as a user would start it.

import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { rules, type Report } from '@spillway/conformance'
import { expect, onTestFinished, test } from 'vitest'

const root = fileURLToPath(new URL('../../../..', import.meta.url))
const timeout = 60_000

function testOf(entry: string, backend = 'memory()'): string {
  return `import { describeBackend } from '@spillway/conformance/${entry}'
import { memory } from '@spillway/core'

describeBackend('mine', { open: () => ${backend} })
`
}

async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'spillway-entry-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  return folder
}

/** What a process of node prints, also one that fails. */
async function run(args: readonly string[], report: string): Promise<string> {
  const env = { ...process.env, SPILLWAY_CONFORMANCE_REPORT: report, NODE_TEST_CONTEXT: undefined, NO_COLOR: '1' }
  const ended = promisify(execFile)(process.execPath, args, { cwd: root, env })
  const { stdout } = await ended.catch((error: unknown) => error as { stdout: string })
  return stdout
}

test.each([
  ['an ESM file', 'mine.mts', ['--import', 'tsx']],
  ['a CommonJS file', 'mine.cts', ['--require', 'tsx/cjs']],
])('node:test runs every rule from %s, and prints the report', { timeout }, async (_, file, flags) => {
  const folder = await folderWith({ [file]: testOf('node') })
  const printed = await run([...flags, join(folder, file)], 'print')
  expect(printed).toContain(`\n# pass ${rules.length}\n# fail 0\n`)
  expect(printed).toContain('# errors-read is not applicable: the harness has no outage()')
  expect(printed).toMatch(/merging +merge-sum +passed\n/)
  expect(printed).toContain(`${rules.length} rules: `)
})

test('node:test fails where a waiver is not needed', { timeout }, async () => {
  const folder = await folderWith({ 'mine.mts': testOf('node', "memory(), waivers: { 'merge-max': 'why' }") })
  const printed = await run(['--import', 'tsx', join(folder, 'mine.mts')], '')
  expect(printed).toMatch(/\n# fail 1\n/)
  expect(printed).toContain('The rule merge-max holds. Remove its waiver («why»).')
})

test('vitest runs every rule also in a CommonJS project, and writes the report', { timeout }, async () => {
  const alias = {
    '@spillway/conformance/vitest': join(root, 'packages/conformance/src/vitest.ts'),
    '@spillway/core': join(root, 'packages/core/src/index.ts'),
  }
  const folder = await folderWith({
    'package.json': '{ "type": "commonjs" }',
    'vitest.config.mjs': `export default ${JSON.stringify({ resolve: { alias } })}`,
    'mine.test.ts': testOf('vitest'),
  })
  const printed = await run([join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--root', folder], folder)
  expect(printed).toContain(`${rules.length} passed`)
  const report = JSON.parse(await readFile(join(folder, 'mine.json'), 'utf8')) as Report
  expect(report.isConforming).toBe(true)
  expect(report.rules.map(({ id }) => id)).toEqual(rules.map(({ id }) => id))
})
