// Every TypeScript example of a README or a docs page compiles under the project's options, runs, and prints what its
// comments say: `console.log(x) // 3` must print 3.

import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import ts from 'typescript'
import { afterAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(root, 'scripts/docs/generated-'))

interface Example {
  readonly title: string
  readonly file: string
  readonly code: string
}

const examples = pages().flatMap((page) =>
  [...readFileSync(join(root, page), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = ''], i): Example => {
    const file = join(folder, `${page.replaceAll(/[^a-z]/gi, '-')}-${i}.ts`)
    writeFileSync(file, code)
    return { title: `${page}, example ${i + 1}`, file, code }
  }),
)

afterAll(() => rmSync(folder, { recursive: true }))

describe('examples in the docs', () => {
  it('are there', () => {
    expect(examples.length).toBeGreaterThan(4)
  })

  it('compile', () => {
    const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
      config: unknown
    }
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
    const program = ts.createProgram(
      examples.map(({ file }) => file),
      options,
    )
    const problems = ts.getPreEmitDiagnostics(program)
    expect(
      ts.formatDiagnostics(problems, {
        getCanonicalFileName: (name) => name,
        getCurrentDirectory: () => root,
        getNewLine: () => '\n',
      }),
    ).toBe('')
  })

  for (const { title, file, code } of examples.filter(({ code }) => !code.includes('/vitest'))) {
    it(`${title} runs and prints what it says`, async () => {
      const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', file], { cwd: root })
      const promised = [...code.matchAll(/^console\.log\(.*\) \/\/ (.*)$/gm)].map(([, text]) => text)
      const printed = stdout.replaceAll(/\n\s*/g, ' ').trim()
      for (const text of promised) expect(printed).toContain(text)
    })
  }
})

function pages(): readonly string[] {
  const docs = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'))
  const packages = readdirSync(join(root, 'packages'))
  return ['README.md', ...docs.map((name) => `docs/${name}`), ...packages.map((name) => `packages/${name}/README.md`)]
}
