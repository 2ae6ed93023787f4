import type { Random } from '../../../src/chance/random.js'
import {
  type Backend,
  type Client,
  type Collection,
  createClient,
  latest,
  max,
  type Records,
  sum,
  union,
} from '../../../src/index.js'
import { seededRandom } from '../../../src/testing.js'
import type { Chronicle } from './chronicle.js'
import type { Endpoint } from './network.js'
import { type ClockSkew, ProcessClock } from './process-clock.js'
import { clockSkewMaxMs, type Profile } from './profile.js'
import type { VirtualTime } from './virtual-time.js'

/** The fields of every record of the simulation. */
export const rules = { n: sum(), ids: union(), top: max(), last: latest<number>() }

/** What every item holds. */
export interface Numbered {
  readonly number: number
}

/** What a process that has started can do. */
export interface Running {
  readonly client: Client
  readonly records: Records<typeof rules>
  readonly items: Collection<Numbered>
}

const noLag = { there: 0, back: 0 }

/** One process: a client, with clocks of its own and everything that may befall it. */
export class SimulatedProcess implements Endpoint {
  readonly name: string
  readonly clock: ProcessClock
  readonly isSpared: boolean
  isCutOff = false
  isBlind = false
  lagMs = noLag
  isDead = false
  isStopped = false
  /** Undefined until it has started. */
  running: Running | undefined
  readonly #chronicle: Chronicle
  readonly #random: Random
  #inbox: (() => void)[] = []
  /** It crashes before it sends so many more requests. */
  #sendsLeft = Infinity

  constructor(name: string, time: VirtualTime, skew: ClockSkew, seed: number, chronicle: Chronicle, isSpared: boolean) {
    this.name = name
    this.isSpared = isSpared
    this.#chronicle = chronicle
    this.#random = seededRandom(seed)
    this.clock = new ProcessClock(time, skew, (run) => this.deliver(run))
  }

  /** Makes its client. Resolves when that has started; rejects when it could not. Never settles if the process dies before. */
  async start(backend: Backend, profile: Profile): Promise<void> {
    const { timings, windowMs, fanoutMax, isSelfGoverned, isLed, recordKeys } = profile
    const { tickMs, refreshMs, leaseMs, retryHorizonMs, sealRetentionMs, shardTimeoutMs, ...limits } = timings
    const [declared] = recordKeys
    const client = await createClient({
      backend,
      clock: this.clock,
      random: this.#random,
      routing: { refreshMs, leaseMs, retryHorizonMs, sealRetentionMs },
      detection: { tickMs, bytesMax: 4_096, hotWritesPerSecond: 20, coolMs: 500 },
      collapse: { windowMs },
      gather: { shardTimeoutMs },
      limits: { ...limits, clockSkewMaxMs },
      sharding: {
        fanoutMax: isSelfGoverned || isLed ? fanoutMax : 1,
        coolMs: 1_000,
        rules: isSelfGoverned && declared !== undefined ? [{ match: declared, fanout: fanoutMax }] : [],
      },
    })
    this.running = { client, records: client.records('record', rules), items: client.collection<Numbered>('item') }
  }

  sends(): boolean {
    if (this.isDead) return false
    if (this.#sendsLeft === 0) {
      this.crash()
      return false
    }
    this.#sendsLeft -= 1
    return true
  }

  deliver(run: () => void): void {
    if (this.isDead) return
    if (this.isStopped) this.#inbox.push(run)
    else run()
  }

  /** The process ends without a word: at once, or just before it sends so many more requests. */
  crash(afterSends = 0): void {
    if (afterSends > 0) {
      this.#sendsLeft = afterSends
      return
    }
    this.isDead = true
    this.running = undefined
    this.#inbox = []
    this.#chronicle.note(this.name, 'crashes')
  }

  /** Neither timers nor answers reach it until `goOn`; one of its clocks may stand still, too. */
  stop(frozen: 'monotonic' | 'wall' | 'neither'): void {
    this.isStopped = true
    this.clock.freeze(frozen)
    this.#chronicle.note(
      this.name,
      frozen === 'neither' ? 'is stopped' : `is suspended; its ${frozen} clock stands still`,
    )
  }

  /** Nothing disturbs it any more. */
  heal(time: VirtualTime): void {
    this.isCutOff = false
    this.isBlind = false
    this.lagMs = noLag
    this.goOn(time)
  }

  /** Everything that has come meanwhile reaches it, each in a turn of its own. */
  goOn(time: VirtualTime): void {
    if (!this.isStopped || this.isDead) return
    this.isStopped = false
    this.clock.thaw()
    this.#chronicle.note(this.name, 'goes on')
    for (const run of this.#inbox.splice(0)) time.after(0, () => this.deliver(run))
  }
}
