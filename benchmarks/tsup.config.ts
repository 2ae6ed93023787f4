import { defineConfig } from 'tsup'

// Bundled, not run through tsx: tsx wraps every function it loads, and that would be measured too.
// Spillway's packages stay outside the bundle, so that the builds that are published are what is measured; the test kit has none.
export default defineConfig({
  entry: ['main.ts', 'engines.ts'],
  noExternal: ['@spillway/testkit'],
  format: 'esm',
  target: 'node20',
  platform: 'node',
  clean: true,
  tsconfig: '../tsconfig.base.json',
})
