// Runs worlds of the fleet simulation, each drawn from a seed, until one breaks a promise.
//   npm run simulate -- --seeds 100000            so many seeds
//   npm run simulate -- --minutes 60              as many as that time allows
//   npm run simulate -- --seed 4711               one seed, with everything that happens in its world
// Further: --from SEED (1), --workers N (all cores), --failures N (1): so many failures end it; of several only what broke is told.
import { rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'

import { bundleSimulation } from './simulate-bundle.mjs'
import { replay, runSimulation } from './simulate-run.mjs'

const progressSeconds = 10

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    minutes: { type: 'string' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    failures: { type: 'string', default: '1' },
    workers: { type: 'string', default: String(availableParallelism()) },
  },
})

const { directory, worker } = await bundleSimulation()
try {
  process.exitCode = values.seed === undefined ? await runAll() : await runOne(whole('seed', values.seed))
} finally {
  rmSync(directory, { recursive: true, force: true })
}

async function runAll() {
  const from = whole('from', values.from)
  const minutes = values.minutes === undefined ? Infinity : positive('minutes', values.minutes)
  const seeds = values.seeds === undefined ? (minutes === Infinity ? 10_000 : Infinity) : whole('seeds', values.seeds)
  let toldSeconds = 0
  const total = await runSimulation({
    worker,
    from,
    seeds,
    minutes,
    workers: whole('workers', values.workers),
    failuresMax: whole('failures', values.failures),
    onProgress: (sofar) => {
      if (sofar.seconds - toldSeconds < progressSeconds) return
      toldSeconds = sofar.seconds
      console.log(summary(sofar))
    },
  })
  console.log(summary(total))
  const [first] = total.failures
  if (first === undefined) return 0
  if (values.failures === '1') return runOne(first.seed)
  for (const failure of total.failures) tell(failure)
  return 1
}

async function runOne(seed) {
  const { violation, history } = await replay(worker, seed)
  for (const line of history) console.log(line)
  if (violation === undefined) {
    console.log(`seed ${seed}: every promise was kept`)
    return 0
  }
  tell({ seed, violation })
  console.log(`replay it: npm run simulate -- --seed ${seed}`)
  return 1
}

function tell({ seed, violation }) {
  console.log(`seed ${seed}: ${violation}`)
}

function summary({ seedCount, worldMs, counts, seconds }) {
  const hours = (worldMs / 3_600_000).toFixed(1)
  const numbers = Object.entries(counts).map(([name, count]) => `${count} ${name}`)
  return `${seedCount} seeds in ${seconds.toFixed(0)} s, ${hours} h of their own time: ${numbers.join(', ')}`
}

function whole(name, text) {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= 1) return value
  throw new RangeError(`--${name} must be a positive whole number, but was ${text}`)
}

function positive(name, text) {
  const value = Number(text)
  if (value > 0) return value
  throw new RangeError(`--${name} must be a number above 0, but was ${text}`)
}
