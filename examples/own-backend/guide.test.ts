import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { chapters } from '@spillway/conformance'
import { expect, test } from 'vitest'

const guide = readFileSync(join(import.meta.dirname, '../../docs/write-a-backend.md'), 'utf8')
const adapter = readFileSync(join(import.meta.dirname, 'postgres-backend.ts'), 'utf8')

test('the pieces of docs/write-a-backend.md stand in the adapter as they are', () => {
  const pieces = [...guide.matchAll(/```typescript\n([\s\S]*?)```/g)].map(([, piece = '']) => piece)
  expect(pieces.length).toBeGreaterThan(2)
  for (const piece of pieces) expect(adapter).toContain(piece)
})

test('docs/write-a-backend.md names every chapter of the kit, in its order', () => {
  const [, table = ''] = /\| chapter +\|.*\n((?:\|.*\n)+)/.exec(guide) ?? []
  const named = table.split('\n').slice(1, -1)
  expect(named.map((row) => row.split('|')[1]?.trim())).toEqual(chapters.map(({ title }) => title))
})
