// Problem: a protocol is right only under clients that do everything at once and stop anywhere.
// Scheme: some callers, each of which does one thing after another: mostly to the few keys that are hot at the time, the rest to
//   many cold ones. Another one now and then changes the route of a hot key by the directory alone.
// Invariants: the ledger knows of every operation before the client does.
// Cost: as many operations a second as callers and their pauses allow.
// Source: none.

import { seededDraws } from '../chance/seeded-draws.js'
import { machineMs, wallMs } from '../time/elapsed.js'
import { pause } from '../time/wait.js'
import type { ChaosClient } from './chaos-client.js'
import { chaosPrefixes, fanoutMax, leaseMs } from './chaos-options.js'
import type { ChaosOrders } from './chaos-orders.js'
import { direct, otherFanout } from './director.js'
import { coldKey, hotKeysAt, type Kind } from './hot-keys.js'
import { ItemWork } from './item-work.js'
import type { Ledger } from './ledger.js'
import { RecordWork } from './record-work.js'

const callerCount = 6
const lullFactor = 8
const directPauseMs = 500
const directChance = 0.05

/** A part of the work: how likely it is, and on which kind of key. */
interface Part {
  readonly share: number
  readonly kind: Kind
  readonly run: (key: string) => Promise<void>
}

/** One life of a process that works. */
export class ChaosWorker {
  readonly #client: ChaosClient
  readonly #orders: ChaosOrders
  readonly #ledger: Ledger
  readonly #draw: () => number
  readonly #parts: readonly Part[]

  constructor(client: ChaosClient, orders: ChaosOrders, ledger: Ledger) {
    this.#client = client
    this.#orders = orders
    this.#ledger = ledger
    this.#draw = seededDraws(orders.seed)
    const records = new RecordWork(client.records, ledger)
    const items = new ItemWork(client.items, ledger, this.#draw)
    this.#parts = [
      { share: 0.5, kind: 'records', run: (key) => records.write(key) },
      { share: 0.12, kind: 'records', run: (key) => records.read(key) },
      { share: 0.15, kind: 'items', run: (key) => items.put(key) },
      { share: 0.02, kind: 'items', run: (key) => items.putMany(key) },
      { share: 0.1, kind: 'items', run: (key) => items.revise(key) },
      { share: 0.06, kind: 'items', run: (key) => items.get(key) },
      { share: 0.03, kind: 'items', run: (key) => items.page(key) },
      { share: 0.02, kind: 'items', run: (key) => items.iterate(key) },
    ]
  }

  /** Works until it is told to stop. */
  async run(stop: AbortSignal): Promise<void> {
    const callers = Array.from({ length: callerCount }, () => this.#call(stop))
    await Promise.all([...callers, this.#direct(stop)])
  }

  async #call(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const { kind, run } = this.#part()
      const hot = this.#hotKeys(kind)
      const bursting = hot.filter(({ isBursting }) => isBursting)
      const drawn = this.#draw()
      const among = drawn < 0.7 && bursting.length > 0 ? bursting : hot
      const key = drawn < 0.85 ? this.#one(among).name : coldKey(this.#draw)
      await run(key)
      const factor = bursting.length > 0 ? 1 : lullFactor
      await pause(2 * this.#draw() * this.#orders.pauseMs * factor)
    }
  }

  async #direct(stop: AbortSignal): Promise<void> {
    const { directory } = this.#client
    const prefixes = chaosPrefixes(this.#orders)
    const parts = { directory, leaseMs, draw: this.#draw, wallMs }
    while (!stop.aborted) {
      await pause(directPauseMs)
      if (this.#draw() > directChance) continue
      const kind = this.#draw() < 0.5 ? 'records' : 'items'
      try {
        const key = prefixes[kind] + this.#one(this.#hotKeys(kind)).name
        const step = await direct(parts, key, (write) => otherFanout(write, fanoutMax, this.#draw))
        if (step !== undefined) this.#ledger.note('event', `directed ${step}`)
      } catch (error) {
        this.#ledger.noteFailure('direct', error)
      }
    }
  }

  #hotKeys(kind: Kind) {
    const { beganAtMs, mayShareKeys } = this.#orders
    return hotKeysAt(kind, machineMs() - beganAtMs, mayShareKeys)
  }

  #part(): Part {
    let drawn = this.#draw()
    return this.#parts.find(({ share }) => (drawn -= share) < 0) ?? (this.#parts[0] as Part)
  }

  #one<T>(all: readonly T[]): T {
    return all[Math.floor(this.#draw() * all.length)] as T
  }
}
