// The README's table of events has every event of the type, and all that each tells.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import ts from 'typescript'
import { expect, it } from 'vitest'

const packageFolder = new URL('../../packages/core/', import.meta.url)

/** Events by name, with the names of what they tell, as the type has them. */
function declared(): Record<string, string> {
  const path = fileURLToPath(new URL('src/telemetry/events.ts', packageFolder))
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest)
  const events = source.statements.find(
    (statement) => ts.isInterfaceDeclaration(statement) && statement.name.text === 'ClientEvents',
  ) as ts.InterfaceDeclaration
  return Object.fromEntries(
    namedMembers(events.members).map(([name, { type }]) => [
      name,
      namedMembers((type as ts.TypeLiteralNode).members)
        .map(([field]) => field)
        .join(', '),
    ]),
  )
}

function namedMembers(members: ts.NodeArray<ts.TypeElement>): [string, ts.PropertySignature][] {
  return [...members].map((member) => [(member.name as ts.Identifier).text, member as ts.PropertySignature])
}

/** The same as the README has them. */
function listed(): Record<string, string> {
  const readme = readFileSync(new URL('README.md', packageFolder), 'utf8')
  const [, section = ''] = readme.split('\n## Events\n')
  const rows = section.split('\n## ')[0]?.matchAll(/^\| `([^`]+)` *\|[^|]*\| *(`[^|]*`) *\|$/gm) ?? []
  return Object.fromEntries([...rows].map(([, name = '', fields = '']) => [name, fields.replaceAll('`', '')]))
}

it('the table of events in the README of core says what there is to listen to', () => {
  expect(listed()).toEqual(declared())
})
