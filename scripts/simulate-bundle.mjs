// The simulation as one file that any thread can load: the sources as they stand, or without one of their rules.
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { build } from 'tsup'

const here = fileURLToPath(new URL('..', import.meta.url))

/**
 * Bundles the worker of the simulation. Answers with its path, in a directory of its own, which is the caller's to remove.
 * `edits` are `{ file, from, to }`: texts that must stand once in a source, and what stands there instead; `root` is the
 * repository that the sources are taken from.
 */
export async function bundleSimulation(edits = [], root = here) {
  const directory = mkdtempSync(join(tmpdir(), 'spillway-simulation-'))
  await build({
    entry: { worker: join(root, 'packages/core/test/simulation/fleet/simulate-worker.ts') },
    outDir: directory,
    outExtension: () => ({ js: '.mjs' }),
    format: 'esm',
    platform: 'node',
    target: 'node20',
    tsconfig: join(root, 'tsconfig.json'),
    config: false,
    clean: false,
    dts: false,
    silent: true,
    noExternal: [/./],
    esbuildPlugins: edits.length === 0 ? [] : [withEdits(edits)],
  })
  return { directory, worker: join(directory, 'worker.mjs') }
}

function withEdits(edits) {
  return {
    name: 'with-edits',
    setup({ onLoad }) {
      onLoad({ filter: /[/]packages[/]core[/]src[/].*[.]ts$/ }, ({ path }) => {
        const own = edits.filter(({ file }) => path.endsWith(file))
        if (own.length === 0) return undefined
        return { contents: own.reduce((text, edit) => edited(text, edit), readFileSync(path, 'utf8')), loader: 'ts' }
      })
    },
  }
}

function edited(text, { file, from, to }) {
  if (text.split(from).length !== 2) throw new Error(`${file} must contain «${from}» once`)
  return text.replace(from, () => to)
}
