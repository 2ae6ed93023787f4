// Problem: what a fleet promises has to hold while processes die and stand still, answers get lost, the engine goes down and
//   routes grow and shrink, all at once.
// Scheme: processes work on a real engine and keep ledgers. Three hands, each with draws of its own from the seed, let things go
//   wrong: with processes, between them and the engine, and in the engine. In the end all that is lifted, a fresh client reads
//   everything back, and the ledgers are held against it.
// Invariants: processes are gone and the engine is down when this has settled; the same seed makes the same choices, though not
//   at the same moments of anybody's work.
// Cost: two cores, fully.
// Source: none.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { seededDraws } from '../chance/seeded-draws.js'
import { machineMs } from '../time/elapsed.js'
import { after, pause } from '../time/wait.js'
import type { ChaosEngine, Mishap } from './chaos-engine.js'
import { ChaosFleet } from './chaos-fleet.js'
import type { ChaosOrders } from './chaos-orders.js'
import { backPath, type ReadBack } from './chaos-reader.js'
import { ChaosChild } from './chaos-child.js'
import { readDifferences, storedDifferences } from './differences.js'
import { ledgerSuffix, readLedgers, type Ledgers } from './ledgers.js'
import { reportOf, type ChaosReport } from './report.js'

/** How a run is set up. */
export interface ChaosOptions {
  /** Starts the engine, from the seed. */
  readonly start: (seed: number) => Promise<ChaosEngine>
  /** What each process runs: it waits for its orders, opens a client and hands both to `runChaosProcess`. */
  readonly script: string
  /** Every choice comes from it. */
  readonly seed: number
  /** For how long things go wrong. */
  readonly durationMs: number
  /** So many processes work. @default 8 */
  readonly processCount?: number
  /** Is told of what happens. @default nobody */
  readonly onLine?: (line: string) => void
}

const readMs = 120_000

/** Runs it. What went wrong with the run itself rejects; what is wrong with the store is in the report. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { start, script, seed, durationMs, processCount = 8, onLine = () => undefined } = options
  const folder = mkdtempSync(join(tmpdir(), 'spillway-chaos-'))
  const engine = await start(seed)
  const orders: Omit<ChaosOrders, 'role' | 'name' | 'path' | 'seed'> = {
    place: engine.place,
    beganAtMs: machineMs(),
    mayShareKeys: engine.mayShareKeys,
    pauseMs: engine.pauseMs,
  }
  const fleet = new ChaosFleet({ script, orders, folder, processCount, draw: seededDraws(seed), onLine })
  try {
    await alone(new ChaosChild(script, { ...orders, role: 'prepare', name: 'prepare', path: '', seed }))
    const mishaps = new Map<string, number>()
    await fleet.start()
    const beganMs = machineMs()
    const hands = [
      new Hand(engine.network, seededDraws(seed + 1), 1_500),
      new Hand(engine.inside, seededDraws(seed + 2), 4_000),
    ]
    const over = new AbortController()
    const working = Promise.all([
      fleet.trouble(over.signal),
      ...hands.map((hand) => hand.run(over.signal, mishaps, (line) => onLine(`${seconds(beganMs)} ${line}`))),
    ])
    await Promise.race([pause(durationMs), working])
    over.abort()
    await working
    await engine.lift()
    onLine(`${seconds(beganMs)} all faults are lifted`)
    const strange = await fleet.finish()
    const keys = keysOf(readLedgers(folder))
    const path = join(folder, `reader${ledgerSuffix}`)
    onLine(`${seconds(beganMs)} everything is read back`)
    await alone(new ChaosChild(script, { ...orders, role: 'reader', name: 'reader', path, seed, keys }))
    const back = JSON.parse(readFileSync(backPath(path), 'utf8')) as ReadBack
    const ledgers = readLedgers(folder)
    const differences = differencesOf(ledgers, back, strange)
    const report = reportOf({ seed, processCount, durationMs, ledgers, back, differences, mishaps, fleet, engine })
    if (differences.length === 0) rmSync(folder, { recursive: true, force: true })
    return differences.length === 0 ? report : { ...report, folder }
  } finally {
    await fleet.kill()
    await engine.close()
  }
}

/** Lets one thing go wrong after another. */
class Hand {
  readonly #mishaps: readonly Mishap[]
  readonly #draw: () => number
  readonly #pauseMs: number

  constructor(mishaps: readonly Mishap[], draw: () => number, pauseMs: number) {
    this.#mishaps = mishaps
    this.#draw = draw
    this.#pauseMs = pauseMs
  }

  async run(over: AbortSignal, counts: Map<string, number>, onLine: (line: string) => void): Promise<void> {
    for (;;) {
      await pause(2 * this.#draw() * this.#pauseMs)
      if (over.aborted) return
      const { kind, run } = this.#next()
      onLine(kind)
      counts.set(kind, (counts.get(kind) ?? 0) + 1)
      await run(this.#draw)
    }
  }

  #next(): Mishap {
    let drawn = this.#draw() * this.#mishaps.reduce((total, { weight }) => total + weight, 0)
    return this.#mishaps.find(({ weight }) => (drawn -= weight) < 0) ?? (this.#mishaps[0] as Mishap)
  }
}

/** Waits for a process that has to end by itself. */
async function alone(child: ChaosChild): Promise<void> {
  const late = new Promise<string>((resolve) => {
    after(readMs, () => resolve(`process ${child.orders.name} did not end within ${readMs} ms`))
  })
  const problem = await Promise.race([child.ended, late])
  await child.kill()
  if (problem !== undefined) throw new Error(problem)
}

function keysOf({ operations }: Ledgers): { readonly records: readonly string[]; readonly items: readonly string[] } {
  const [records, items] = [new Set<string>(), new Set<string>()]
  for (const { deed, key } of operations) (deed === 'write' ? records : items).add(key)
  return { records: [...records], items: [...items] }
}

function differencesOf(ledgers: Ledgers, back: ReadBack, strange: readonly string[]): readonly string[] {
  return [
    ...strange,
    ...ledgers.wrong,
    ...readDifferences(ledgers),
    ...storedDifferences(ledgers, back.atOnce).map((text) => `read back at once: ${text}`),
    ...storedDifferences(ledgers, back.atRest).map((text) => `read back at rest: ${text}`),
    ...back.restless.map((route) => `this route did not come to rest: ${route}`),
  ]
}

function seconds(beganMs: number): string {
  return `${((machineMs() - beganMs) / 1_000).toFixed(1).padStart(6)} s`
}
