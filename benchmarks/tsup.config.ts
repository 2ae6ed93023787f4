import { defineConfig } from 'tsup'

// Bundled, not run through tsx: tsx wraps every function it loads, and that would be measured too.
// @spillway/core stays outside the bundle, so that the build that is published is what is measured.
export default defineConfig({
  entry: ['main.ts'],
  format: 'esm',
  target: 'node20',
  platform: 'node',
  clean: true,
  tsconfig: '../tsconfig.base.json',
})
