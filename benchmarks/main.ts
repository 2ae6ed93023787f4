// npm run bench [-- NAME…] [-- --save]: runs the benchmarks named, or all, each in a process of its own so that none is
// compiled for another's types. --save writes results/NAME.json; --docs, alone, writes the tables and
// the picture of docs/benchmarks.md from those.

import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { thisCommit, thisMachine } from './lib/machine.js'
import { withTables } from './docs-tables.js'
import { fleetPlot } from './fleet/fleet-plot.js'

/** Loaded only when asked for: each is a module that measures, prints and returns plain data. */
const benchmarks: Readonly<Record<string, () => Promise<{ run(): Promise<unknown> }>>> = {
  detector: () => import('./micro/detector.bench.js'),
  'hot-write': () => import('./micro/hot-write.bench.js'),
  'coalesced-read': () => import('./micro/coalesced-read.bench.js'),
  'cold-path': () => import('./micro/cold-path.bench.js'),
  'bounded-concurrency': () => import('./micro/bounded-concurrency.bench.js'),
  'redis-hot-key': () => import('./scenario/redis-hot-key.bench.js'),
  'dynamo-hot-key': () => import('./scenario/dynamo-hot-key.bench.js'),
  'cold-keys': () => import('./scenario/cold-keys.bench.js'),
  gather: () => import('./scenario/gather.bench.js'),
  'collection-page': () => import('./scenario/collection-page.bench.js'),
  'cold-items': () => import('./scenario/cold-items.bench.js'),
  'collection-write': () => import('./scenario/collection-write.bench.js'),
  spool: () => import('./scenario/spool.bench.js'),
  fleet: () => import('./fleet/fleet.bench.js'),
  'fleet-large': () => import('./fleet/fleet-large.bench.js'),
}

const results = new URL('../results/', import.meta.url)
const names = process.argv.slice(2).filter((argument) => argument !== '--save' && argument !== '--docs')
const isSaving = process.argv.includes('--save')
const unknownName = names.find((name) => benchmarks[name] === undefined)

if (unknownName !== undefined) {
  console.error(`There is no benchmark ${unknownName}; there are ${Object.keys(benchmarks).join(', ')}.`)
  process.exitCode = 1
} else if (process.argv.includes('--docs')) writeDocs()
else if (names.length === 1) await runOne(names[0] ?? '')
else runEach(names.length === 0 ? Object.keys(benchmarks) : names)

async function runOne(name: string): Promise<void> {
  const machine = thisMachine()
  const date = new Date().toISOString()
  console.log(`${name}: ${machine.cores} × ${machine.cpu}, Node ${machine.node}, ${machine.os}`)
  const result = await (await benchmarks[name]?.())?.run()
  if (isSaving) {
    mkdirSync(results, { recursive: true })
    const text = JSON.stringify({ name, commit: thisCommit(), date, machine, result }, rounded, 2)
    writeFileSync(new URL(`${name}.json`, results), `${text}\n`)
  }
  process.exit() // clients are left open
}

function runEach(wanted: readonly string[]): void {
  for (const name of wanted) {
    const main = fileURLToPath(import.meta.url)
    const own = [...process.execArgv, main, name, ...(isSaving ? ['--save'] : [])]
    const { status } = spawnSync(process.execPath, own, { stdio: 'inherit' })
    if (status !== 0) process.exitCode = 1
    console.log()
  }
}

function writeDocs(): void {
  const page = new URL('../../docs/benchmarks.md', import.meta.url)
  writeFileSync(page, withTables(readFileSync(page, 'utf8'), results))
  writeFileSync(new URL('benchmarks-fleet.svg', page), fleetPlot(results))
}

/** Five digits are more than a measurement is good for. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value
}
