import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { expect, it } from 'vitest'

import { withTables } from '../../benchmarks/readme-tables.js'

const root = new URL('../../', import.meta.url)

it('README shows what benchmarks/results hold, and nothing that was not measured', () => {
  const path = fileURLToPath(new URL('README.md', root))
  const readme = readFileSync(path, 'utf8')
  expect(readme, 'npm run bench -- --readme mends it').toBe(withTables(readme, new URL('benchmarks/results/', root)))
})
