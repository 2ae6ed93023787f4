import { join } from 'node:path'

import { after, pause } from '../time/wait.js'
import { ChaosChild } from './chaos-child.js'
import { leaseMs, retryHorizonMs } from './chaos-options.js'
import type { ChaosOrders } from './chaos-orders.js'
import { ledgerSuffix } from './ledgers.js'

/** What a fleet is made of. */
export interface FleetParts {
  readonly script: string
  readonly orders: Omit<ChaosOrders, 'role' | 'name' | 'path' | 'seed'>
  /** Where ledgers go. */
  readonly folder: string
  readonly processCount: number
  readonly draw: () => number
  readonly onLine: (line: string) => void
}

const troublePauseMs = 1_200
const farewellMs = 45_000

/** The processes that work: each is one life after another. */
export class ChaosFleet {
  /** How many were killed, and how many stood still past their lease, by now. */
  readonly counts = { killed: 0, stopped: 0, stoppedPastHorizon: 0 }
  readonly #parts: FleetParts
  readonly #lives: ChaosChild[] = []
  readonly #lifeCounts: number[] = []
  readonly #strange: string[] = []
  /** Which processes something is being done to. */
  readonly #busy = new Set<number>()

  constructor(parts: FleetParts) {
    this.#parts = parts
  }

  /** Starts all; resolves when all are at work. Rejects when one ends instead. */
  async start(): Promise<void> {
    for (let slot = 0; slot < this.#parts.processCount; slot++) this.#begin(slot)
    await Promise.all(this.#lives.map(({ opened }) => opened))
    const [problem] = this.#strange
    if (problem !== undefined) throw new Error(problem)
  }

  /** Kills processes that work and starts them anew, and lets them stand still and go on, until it is over. All work when this has settled. */
  async trouble(over: AbortSignal): Promise<void> {
    const { draw, processCount } = this.#parts
    const under: Promise<void>[] = []
    for (;;) {
      await pause(2 * draw() * troublePauseMs)
      if (over.aborted) break
      const [slot, drawn, length] = [Math.floor(draw() * processCount), draw(), draw()]
      if (this.#busy.has(slot)) continue
      this.#busy.add(slot)
      const done = drawn < 0.5 ? this.#replace(slot, length) : this.#stop(slot, length, over)
      under.push(done.finally(() => this.#busy.delete(slot)))
    }
    await Promise.all(under)
  }

  /** Tells all that this is the end and waits for it; answers with what was strange about the end of any. */
  async finish(): Promise<readonly string[]> {
    for (const life of this.#lives) life.finish()
    const late = new Promise<'late'>((resolve) => after(farewellMs, () => resolve('late')))
    for (const life of this.#lives) {
      if ((await Promise.race([life.ended, late])) !== 'late') continue
      this.#strange.push(`process ${life.orders.name} did not end within ${farewellMs} ms`)
      await life.kill()
    }
    return this.#strange
  }

  /** Ends whatever is left at once. */
  async kill(): Promise<void> {
    await Promise.all(this.#lives.map((life) => life.kill()))
  }

  #begin(slot: number): void {
    const { script, orders, folder, draw } = this.#parts
    const life = (this.#lifeCounts[slot] ?? 0) + 1
    this.#lifeCounts[slot] = life
    const name = `${slot}.${life}`
    const seed = Math.floor(draw() * 2 ** 31)
    const child = new ChaosChild(script, {
      ...orders,
      role: 'worker',
      name,
      seed,
      path: join(folder, `${name}${ledgerSuffix}`),
    })
    void child.ended.then((problem) => problem === undefined || this.#strange.push(problem))
    this.#lives[slot] = child
  }

  async #replace(slot: number, length: number): Promise<void> {
    this.#parts.onLine(`process ${slot} is killed`)
    this.counts.killed += 1
    await this.#lives[slot]?.kill()
    await pause(1_500 * length)
    this.#begin(slot)
    await this.#lives[slot]?.opened
  }

  /** Mostly for a few leases; now and then past all retries. */
  async #stop(slot: number, length: number, over: AbortSignal): Promise<void> {
    const isLong = length > 0.96 && !over.aborted
    const ms = isLong ? retryHorizonMs * 1.2 : leaseMs * (1.2 + 3 * length)
    this.#parts.onLine(`process ${slot} stands still for ${Math.round(ms)} ms`)
    this.counts[isLong ? 'stoppedPastHorizon' : 'stopped'] += 1
    this.#lives[slot]?.stop()
    await pause(ms)
    this.#lives[slot]?.goOn()
  }
}
