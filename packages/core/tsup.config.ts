import { defineConfig } from 'tsup'
import { base } from '../../tsup.base.js'

export default defineConfig({
  ...base,
  entry: ['src/index.ts', 'src/testing.ts'],
  // p-limit is ESM only, so the CommonJS build can reach it only from within; the hash decides where data lies, so its version is ours.
  noExternal: ['p-limit', 'xxhash-wasm'],
})
