import { readFile } from 'node:fs/promises'

import { chapters, rules, type Need } from '@spillway/conformance'
import { expect, test } from 'vitest'

test('the README has a line for every chapter and for every hook that a rule needs', async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
  const lines = readme.split('\n').filter((line) => line.startsWith('| '))
  const first = lines.map((line) => line.split('|')[1]?.trim() ?? '')
  for (const { title } of chapters) expect(first).toContain(title)
  const hooks = new Set(rules.flatMap(({ needs = [] }) => needs))
  const ofTheBackend = [
    'batches',
    'stampRoute',
    'checkSpread',
    'collections',
    'append',
    'shared keys',
    'unshared keys',
    'sorted strings',
    'sorted numbers',
    'sorted bytes',
  ]
  for (const need of ofTheBackend) expect(hooks.delete(need as Need)).toBe(true)
  expect(hooks.size).toBe(6)
  for (const hook of hooks) expect(first.some((cell) => cell.startsWith(`\`${hook}(`))).toBe(true)
})
