// Takes each rule of the protocol out of a copy of the code and shows that it is missed: by the history that was written for it,
// and by the simulation, which is run until it finds what goes wrong.
//   npm run break-rules                       every history, and the simulation for the rules that it finds soon
//   npm run break-rules -- --seeds 20000      the simulation for every rule, for so many seeds, and a table of what it took
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { rules } from './protocol-rules.mjs'
import { bundleSimulation } from './simulate-bundle.mjs'
import { runSimulation } from './simulate-run.mjs'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    workers: { type: 'string', default: String(availableParallelism()) },
    rule: { type: 'string', multiple: true },
  },
})
const chosen = values.rule === undefined ? rules : rules.filter(({ rule }) => values.rule.includes(rule))
let passed = 0
let failed = 0

await (values.seeds === undefined ? checkAll() : searchAll(Number(values.seeds)))
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

async function checkAll() {
  breakHistories(chosen.filter(({ test }) => test !== undefined))
  for (const one of chosen) {
    if (one.within === undefined) continue
    const found = await search(one, one.within)
    tell(found.seed !== undefined, `${one.rule} by seed ${found.seed}`, found.violation ?? `not in ${one.within} seeds`)
  }
}

async function searchAll(seedsMax) {
  const lines = []
  for (const one of chosen) {
    const { seed, seconds, violation } = await search(one, seedsMax)
    const isFound = seed !== undefined
    tell(
      isFound || one.test !== undefined,
      one.rule,
      isFound ? `seed ${seed}, ${seconds} s: ${violation}` : 'not by seeds',
    )
    const took = isFound ? seed.toLocaleString('en') : `more than ${seedsMax.toLocaleString('en')}`
    lines.push(`| ${one.rule} | ${one.says} | ${took} | ${one.test === undefined ? '' : 'yes'} |`)
  }
  console.log(
    ['| rule | says | seeds until it is missed | history |', '| --- | --- | --: | --- |', ...lines].join('\n'),
  )
}

/** Runs the simulation without a rule until it breaks a promise. */
async function search({ edits }, seeds) {
  const { directory, worker } = await bundleSimulation(edits)
  try {
    const run = { worker, from: 1, seeds, minutes: Infinity, workers: Number(values.workers) }
    const { failures, seconds } = await runSimulation(run)
    return { seed: failures[0]?.seed, violation: failures[0]?.violation, seconds: seconds.toFixed(0) }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Runs all histories with every rule, and that of each rule without it. */
function breakHistories(withHistory) {
  const copy = mkdtempSync(join(tmpdir(), 'spillway-rules-'))
  try {
    for (const path of ['packages', 'vitest.config.ts', 'tsconfig.json', 'tsconfig.base.json', 'package.json'])
      cpSync(path, join(copy, path), { recursive: true, filter: (from) => !/node_modules|dist$|\.turbo/.test(from) })
    symlinkSync(join(process.cwd(), 'node_modules'), join(copy, 'node_modules'))
    const whole = runHistories(copy, '')
    for (const { rule, test, edits } of withHistory) {
      const restore = edit(copy, edits)
      const broken = runHistories(copy, test)
      restore()
      const isCaught = whole.passed && !broken.passed
      tell(isCaught, rule, isCaught ? broken.why : whole.why || 'its history passes without it')
    }
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

/** Edits files of the copy; gives back what takes that back. */
function edit(copy, edits) {
  const intact = new Map()
  for (const { file, from, to } of edits) {
    const path = join(copy, file)
    const text = readFileSync(path, 'utf8')
    if (text.split(from).length !== 2) throw new Error(`${file} must contain «${from}» once`)
    if (!intact.has(path)) intact.set(path, text)
    writeFileSync(
      path,
      text.replace(from, () => to),
    )
  }
  return () => {
    for (const [path, text] of intact) writeFileSync(path, text)
  }
}

/** Runs the histories whose titles begin so; all of them where that is empty. */
function runHistories(copy, test) {
  try {
    execFileSync(
      'npx',
      ['vitest', 'run', '--project', 'simulation', 'rules.sim', '--testTimeout', '20000', '-t', test],
      { cwd: copy, stdio: 'pipe', env: { ...process.env, NO_COLOR: '1', CI: 'true' } },
    )
    return { passed: true, why: '' }
  } catch (error) {
    const why = /AssertionError: .*|Error: .*/.exec(String(error.stdout) + String(error.stderr))?.[0] ?? 'failed'
    return { passed: false, why }
  }
}

function tell(isCaught, rule, why) {
  if (isCaught) passed += 1
  else failed += 1
  console.log(`${isCaught ? 'caught' : 'MISSED'}  ${rule}: ${why}`)
}
