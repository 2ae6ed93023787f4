// Packs every public package as npm would publish it, lints the tarballs, installs them into an empty folder and uses
// them there as a stranger would: loaded as ESM and as CommonJS, and compiled against in both formats.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const bin = join(root, 'node_modules', '.bin')
const folder = mkdtempSync(join(tmpdir(), 'spillway-pack-'))

function run(command, args, cwd = root) {
  try {
    return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: 'pipe' })
  } catch (error) {
    throw new Error(`${command} ${args.join(' ')} failed:\n${error.stdout ?? ''}${error.stderr ?? ''}`, {
      cause: error,
    })
  }
}

function publicPackages() {
  return readdirSync(join(root, 'packages'))
    .map((name) => join(root, 'packages', name))
    .map((path) => ({ path, manifest: JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) }))
    .filter(({ manifest }) => manifest.private !== true)
}

function pack({ path, manifest }) {
  const [{ filename, files }] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', folder], path))
  for (const wanted of ['README.md', 'LICENSE', 'package.json']) {
    if (!files.some((file) => file.path === wanted)) throw new Error(`${manifest.name}: the tarball lacks ${wanted}`)
  }
  const tarball = join(folder, filename)
  run(join(bin, 'publint'), ['run', '--strict', tarball])
  const esmOnly = entriesOf({ manifest }).filter(({ isEsmOnly }) => isEsmOnly)
  const excluded = esmOnly.flatMap(({ specifier }) => [
    '--exclude-entrypoints',
    specifier.replace(`${manifest.name}/`, ''),
  ])
  run(join(bin, 'attw'), [tarball, '--profile', 'node16', ...excluded])
  return tarball
}

/** What a user may import, '@spillway/core/testing' for one; an entry for ESM alone has no `require` condition. */
function entriesOf({ manifest }) {
  return Object.entries(manifest.exports)
    .filter(([entry]) => !entry.endsWith('.json'))
    .map(([entry, conditions]) => ({ specifier: manifest.name + entry.slice(1), isEsmOnly: !conditions.require }))
}

function useFrom(consumer, format, entries) {
  const imports = entries.map(({ specifier }, index) => `import * as entry${index} from '${specifier}'`)
  const uses = entries.map((_, index) => `console.log(Object.keys(entry${index}).length)`)
  const requires = entries.map(({ specifier }) => `console.log(Object.keys(require('${specifier}')).length)`)
  const [loaded, compiled] = format === 'esm' ? ['load.mjs', 'use.mts'] : ['load.cjs', 'use.cts']
  writeFileSync(join(consumer, loaded), (format === 'esm' ? [...imports, ...uses] : requires).join('\n'))
  writeFileSync(join(consumer, compiled), [...imports, ...uses].join('\n'))
  run(process.execPath, [loaded], consumer)
  run(
    join(bin, 'tsc'),
    [...'--noEmit --strict --module nodenext --target es2023 --types node'.split(' '), compiled],
    consumer,
  )
}

try {
  const packages = publicPackages()
  const tarballs = packages.map(pack)
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'consumer', private: true }))
  // Peers are what the user brings along, and not fetched here: the test runner, the AWS SDK and node's types.
  run('npm', ['install', '--no-audit', '--no-fund', '--legacy-peer-deps', ...tarballs], folder)
  for (const name of ['vitest', '@aws-sdk', '@types'])
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name), 'junction')
  const entries = packages.flatMap(entriesOf)
  useFrom(folder, 'esm', entries)
  useFrom(
    folder,
    'cjs',
    entries.filter(({ isEsmOnly }) => !isEsmOnly),
  )
  console.log(`${packages.length} packages packed, linted, loaded and compiled against`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
