// Lives of one process over one disk and one store, in which every choice comes from a seed, and the ledger that holds them to
// account: what was accepted is in exactly once, and what was reported as unknown once or not at all.

import {
  type Client,
  createClient,
  isSpillwayError,
  latest,
  max,
  memory,
  type Records,
  sum,
  union,
} from '../../../src/index.js'
import { FakeClock, FaultyBackend, seededRandom } from '../../../src/testing.js'
import { Disk, Life, mortal } from '../../doubles/mortal.js'

const rules = { n: sum(), ids: union(), top: max(), last: latest<number>() }
type Rules = typeof rules

type Fate = 'pending' | 'accepted' | 'written' | 'refused' | 'unknown'

interface Alive {
  readonly life: Life
  readonly client: Client
  readonly records: Records<Rules>
  readonly backend: FaultyBackend
}

/** A retry horizon that no run reaches. */
export const endlessMs = 3_000_000

/** A process that dies and starts again on the same disk. */
export class SpoolWorld {
  readonly clock = new FakeClock()
  readonly disk = new Disk()
  readonly counts = { lives: 0, accepted: 0, written: 0, refused: 0, unknown: 0, interrupted: 0, lost: 0, replayed: 0 }
  readonly violations: string[] = []
  readonly #store = memory()
  readonly #seed: number
  readonly #retryHorizonMs: number
  readonly #ledger = new Map<string, { fate: Fate; readonly key: string }>()
  /** Buffered changes that were reported as lost, by key and by whether they may be in. */
  readonly #reported = new Map<string, { unknown: number; rejected: number }>()
  #alive: Alive | undefined

  /** With a horizon that no run reaches, nothing may ever be reported as lost. */
  constructor(seed: number, retryHorizonMs: number) {
    this.#seed = seed
    this.#retryHorizonMs = retryHorizonMs
  }

  /** Starts the process anew. */
  async start(): Promise<void> {
    this.counts.lives += 1
    this.counts.replayed += this.disk.entries.size
    const life = new Life()
    const random = seededRandom(this.#seed * 31 + this.counts.lives)
    const backend = new FaultyBackend(this.#store, { clock: this.clock, random })
    const client = await this.clock.run(
      createClient({
        backend: mortal(backend, life),
        spool: this.disk.spool(this.clock, life),
        clock: this.clock,
        random,
        routing: { refreshMs: 100, leaseMs: 300, retryHorizonMs: this.#retryHorizonMs, sealRetentionMs: 4_000_000 },
        detection: { hotWritesPerSecond: 20, coolMs: 500 },
        collapse: { windowMs: 40 },
        limits: { requestTimeoutMs: 150, writeTimeoutMs: 700 },
        sharding: { coolMs: 500, rules: [{ match: 'declared', fanout: 4 }] },
      }),
      5,
    )
    client.on('write-lost', ({ key, changeCount, error }) => {
      if (life.isOver) return
      const reported = this.#reported.get(key) ?? { unknown: 0, rejected: 0 }
      reported[isSpillwayError(error, 'WRITE_UNKNOWN') ? 'unknown' : 'rejected'] += changeCount
      this.#reported.set(key, reported)
      this.counts.lost += changeCount
      if (this.#retryHorizonMs >= endlessMs)
        this.violations.push(`${changeCount} changes to ${key} were reported as lost: ${String(error)}`)
    })
    this.#alive = { life, client, records: client.records('simulated', rules), backend }
  }

  /** `kill -9`. */
  crash(): void {
    if (this.#alive !== undefined) this.#alive.life.isOver = true
    this.#alive = undefined
  }

  /** A start after a graceful end, or after an end that came in the middle of that. */
  async stop(isCut: boolean): Promise<void> {
    const closing = this.#alive?.client.close()
    if (isCut) await this.clock.advance(60)
    else if (closing !== undefined) await this.clock.run(closing, 20)
    this.crash()
  }

  /** From here on the way to the store is as bad as this. */
  setFaults(faults: FaultyBackend['faults']): void {
    if (this.#alive !== undefined) this.#alive.backend.faults = faults
  }

  /** Writes once. What becomes of it goes into the ledger, unless the process dies first. */
  write(key: string, ack: 'buffered' | 'written'): void {
    const { life, records } = this.#alive ?? {}
    if (life === undefined || records === undefined) return
    const number = this.#ledger.size + 1
    const id = `${key}/${number}`
    const entry: { fate: Fate; readonly key: string } = { fate: 'pending', key }
    this.#ledger.set(id, entry)
    records.write(key, { n: 1, ids: [id], top: number, last: number }, { ack }).then(
      () => this.#settle(life, entry, ack === 'buffered' ? 'accepted' : 'written'),
      (error: unknown) => {
        if (!isSpillwayError(error)) this.violations.push(`write ${id} failed without a type: ${String(error)}`)
        this.#settle(life, entry, isSpillwayError(error, 'WRITE_UNKNOWN') ? 'unknown' : 'refused')
      },
    )
  }

  /** Heals everything, lets one last life finish what is left, and holds the store to account. */
  async audit(keys: readonly string[]): Promise<void> {
    this.crash()
    this.disk.isRefusing = () => false
    await this.start()
    await this.clock.advance(8_000)
    const { client, records } = this.#alive as Alive
    for (const key of keys) this.#check(key, await this.clock.run(records.read(key), 20))
    const { kept } = await this.clock.run(client.close(), 20)
    if (kept?.length !== 0) this.violations.push(`the last life left ${JSON.stringify(kept)}`)
    if (this.disk.entries.size > 0) this.violations.push(`the disk still has ${[...this.disk.entries.values()].join()}`)
    for (const { fate } of this.#ledger.values()) this.counts[fate === 'pending' ? 'interrupted' : fate] += 1
  }

  #settle(life: Life, entry: { fate: Fate }, fate: Fate): void {
    if (!life.isOver) entry.fate = fate
  }

  #check(key: string, { n, ids }: { readonly n: number; readonly ids: ReadonlySet<string> }): void {
    const { unknown, rejected } = this.#reported.get(key) ?? { unknown: 0, rejected: 0 }
    let missing = 0
    for (const [id, { fate, key: written }] of this.#ledger) {
      if (written !== key) continue
      const isIn = ids.has(id)
      if (fate === 'accepted' && !isIn) missing += 1
      if (fate === 'written' && !isIn) this.violations.push(`${id} was written and is not in`)
      if (fate === 'refused' && isIn) this.violations.push(`${id} was refused and is in`)
    }
    if (n !== ids.size) this.violations.push(`${key} counts ${n} for the ${ids.size} changes that are in`)
    if (missing > unknown + rejected)
      this.violations.push(`${key} lacks ${missing} accepted changes; reported were ${unknown} + ${rejected}`)
    if (missing < rejected)
      this.violations.push(`${key} lacks ${missing} accepted changes, though ${rejected} were reported as not written`)
  }
}
