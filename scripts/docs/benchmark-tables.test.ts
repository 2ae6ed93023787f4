import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { expect, it } from 'vitest'

import { withTables } from '../../benchmarks/docs-tables.js'

const root = new URL('../../', import.meta.url)

it('docs/benchmarks.md shows what benchmarks/results hold, and nothing that was not measured', () => {
  const path = fileURLToPath(new URL('docs/benchmarks.md', root))
  const page = readFileSync(path, 'utf8')
  expect(page, 'npm run bench -- --docs mends it').toBe(withTables(page, new URL('benchmarks/results/', root)))
})
