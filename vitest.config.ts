import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const root = fileURLToPath(new URL('.', import.meta.url))

/** Tests run on the sources, so that they need no build. The same map stands in tsconfig.json as `paths`. */
const sources = {
  '@spillway/core/testing': `${root}packages/core/src/testing.ts`,
  '@spillway/core': `${root}packages/core/src/index.ts`,
  '@spillway/dynamo/setup': `${root}packages/dynamo/src/setup.ts`,
  '@spillway/dynamo': `${root}packages/dynamo/src/index.ts`,
  '@spillway/redis': `${root}packages/redis/src/index.ts`,
  '@spillway/spool': `${root}packages/spool/src/index.ts`,
  '@spillway/testkit': `${root}packages/testkit/src/index.ts`,
  '@spillway/conformance/vitest': `${root}packages/conformance/src/vitest.ts`,
  '@spillway/conformance/node': `${root}packages/conformance/src/node.ts`,
  '@spillway/conformance': `${root}packages/conformance/src/index.ts`,
}

/** One project a kind of test: `vitest run --project property` runs that kind in every package. */
function project(name: string, include: string[], testTimeout = 5_000, globalSetup: string[] = []) {
  return { extends: true as const, test: { name, include, testTimeout, globalSetup } }
}

/** Finds or installs the engines, once before any test. */
const engines = [`${root}packages/testkit/require-engines.ts`]

export default defineConfig({
  resolve: { alias: sources },
  test: {
    dangerouslyIgnoreUnhandledErrors: false,
    coverage: { include: ['packages/*/src/**'] },
    projects: [
      project('unit', ['packages/*/test/unit/**/*.test.ts']),
      project('property', ['packages/*/test/property/**/*.test.ts'], 60_000),
      project('model', ['packages/*/test/model/**/*.test.ts'], 60_000),
      project('simulation', ['packages/*/test/simulation/**/*.test.ts'], 300_000),
      project('integration', ['packages/*/test/integration/**/*.test.ts'], 60_000, engines),
      project('chaos', ['packages/*/test/chaos/**/*.test.ts'], 180_000, engines),
      project('examples', ['examples/*/**/*.test.ts'], 120_000),
      project('house', ['scripts/**/*.test.ts'], 60_000),
      {
        extends: true,
        test: {
          name: 'types',
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            include: ['packages/*/test/types/**/*.test-d.ts'],
            tsconfig: './tsconfig.json',
            ignoreSourceErrors: true,
          },
        },
      },
    ],
  },
})
