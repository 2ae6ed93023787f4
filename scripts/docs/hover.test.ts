// What an editor shows for the types that users meet most: the fields of a record, not the machinery that they are made by.

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import ts from 'typescript'
import { expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

const code = `import { type ChangeOf, createClient, max, memory, sum } from '@spillway/core'
const rules = { n: sum(), top: max() }
const client = await createClient({ backend: memory() })
export const value = await client.records('post', rules).read('k')
export const change: ChangeOf<typeof rules> = {}
`

/** The exported constants of the code, as an editor shows them. */
function shown(): Record<string, string> {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    config: unknown
  }
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const file = join(root, 'scripts/docs/hovered.ts')
  const host = ts.createCompilerHost(options)
  const program = ts.createProgram([file], options, {
    ...host,
    fileExists: (name) => name === file || host.fileExists(name),
    getSourceFile: (name, ...rest) =>
      name === file ? ts.createSourceFile(name, code, ts.ScriptTarget.Latest, true) : host.getSourceFile(name, ...rest),
  })
  const checker = program.getTypeChecker()
  const source = program.getSourceFile(file)
  const module = source === undefined ? undefined : checker.getSymbolAtLocation(source)
  const constants = module === undefined ? [] : checker.getExportsOfModule(module)
  return Object.fromEntries(
    constants.map((constant) => [constant.name, checker.typeToString(checker.getTypeOfSymbol(constant))]),
  )
}

it('an editor shows what is read and written field by field', () => {
  expect(shown()).toEqual({
    value: '{ readonly n: number; readonly top: number | undefined; }',
    change: '{ readonly n?: number; readonly top?: number; }',
  })
})
