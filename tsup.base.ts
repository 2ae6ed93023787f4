import type { Options } from 'tsup'

/** What every published package is built with: both module formats and their types. */
export const base: Options = {
  format: ['esm', 'cjs'],
  target: 'node20',
  platform: 'node',
  // A built-in module by its plain name may be taken for a package: bundlers and Deno go by the prefix.
  removeNodeProtocol: false,
  clean: true,
  // The base, not tsconfig.json: its `paths` would bundle the sources of one package into another.
  tsconfig: '../../tsconfig.base.json',
  // tsup 8 sets `baseUrl` while it builds types, which TypeScript 6 refuses unless told otherwise.
  dts: { compilerOptions: { ignoreDeprecations: '6.0' } },
}
