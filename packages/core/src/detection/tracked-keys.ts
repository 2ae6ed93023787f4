import type { ForwardDecay } from './forward-decay.js'
import type { Side } from './heat.js'
import { cold, type HeatState } from './hysteresis.js'

/** What is counted for a tracked key on each side, beside the logical rate, which stands in the heat table. */
export type Measure =
  | 'requests'
  | 'units'
  /** Units beyond one a request. They were added to the table's count and are taken off again to get the logical rate. */
  | 'excessUnits'
  /** Throttles for any reason. */
  | 'throttles'
  /** Throttles of a key range, the only ones that speak against a key. */
  | 'keyRangeThrottles'

/** A key whose physical rates are counted and whose states are kept. */
export interface TrackedKey {
  readonly key: string
  /** Its place in the counts. */
  readonly row: number
  /** The state of each side. */
  readonly states: { write: HeatState; read: HeatState }
}

/** Whether the key is hot on that side; cooling is still hot. */
export function isHotOn(tracked: TrackedKey, side: Side): boolean {
  return tracked.states[side].kind !== 'cold'
}

const columns: Readonly<Record<Side, Readonly<Record<Measure, number>>>> = {
  write: { requests: 0, units: 1, excessUnits: 2, throttles: 3, keyRangeThrottles: 4 },
  read: { requests: 5, units: 6, excessUnits: 7, throttles: 8, keyRangeThrottles: 9 },
}
const columnCount = 10

/** Counts (10 float32), two objects and two states of V8 (144), an entry of a Map half full (56), and a free-list place (8). */
const trackedBytes = 4 * columnCount + 144 + 56 + 8
/** So much is set aside for each key's string: 48 characters; longer ones leave room for fewer keys. */
const typicalStringBytes = stringBytes(48)

/**
 * The few keys worth exact, decaying rates of every measure. Bounded in number and in the bytes of the keys. Physical
 * rates are far below 2^24 in a half-life, so float32 counts them exactly enough.
 */
export class TrackedKeys {
  /** How many keys there may be at once; fewer if they are longer than 48 characters. */
  readonly keysMax: number
  readonly #decay: ForwardDecay
  readonly #counts: Float32Array
  readonly #free: number[]
  readonly #byKey = new Map<string, TrackedKey>()
  #stringBytesLeft: number

  /** Room for keys and counts in `bytesMax` bytes, but for one key of 48 characters at least. */
  constructor(bytesMax: number, decay: ForwardDecay) {
    this.keysMax = Math.max(1, Math.floor(bytesMax / (trackedBytes + typicalStringBytes)))
    this.#decay = decay
    this.#counts = new Float32Array(this.keysMax * columnCount)
    this.#free = Array.from({ length: this.keysMax }, (_, i) => this.keysMax - 1 - i)
    this.#stringBytesLeft = Math.max(bytesMax - this.keysMax * trackedBytes, typicalStringBytes)
  }

  /** The tracked key, if it is one. */
  get(key: string): TrackedKey | undefined {
    return this.#byKey.get(key)
  }

  /** All tracked keys, oldest first. Keys may be dropped while iterating. */
  values(): IterableIterator<TrackedKey> {
    return this.#byKey.values()
  }

  /** Starts to track a key that is not tracked, cold and with no counts. Undefined if there is no room. */
  track(key: string): TrackedKey | undefined {
    const bytes = stringBytes(key.length)
    if (bytes > this.#stringBytesLeft) return undefined
    const row = this.#free.pop()
    if (row === undefined) return undefined
    this.#stringBytesLeft -= bytes
    this.#counts.fill(0, row * columnCount, (row + 1) * columnCount)
    const tracked: TrackedKey = { key, row, states: { write: cold, read: cold } }
    this.#byKey.set(key, tracked)
    return tracked
  }

  /** Forgets a key and its counts. */
  drop(tracked: TrackedKey): void {
    if (!this.#byKey.delete(tracked.key)) return
    this.#stringBytesLeft += stringBytes(tracked.key.length)
    this.#free.push(tracked.row)
  }

  /** Counts `amount` for a key and measure. */
  count(tracked: TrackedKey, side: Side, measure: Measure, amount: number): void {
    const at = tracked.row * columnCount + columns[side][measure]
    this.#counts[at] = (this.#counts[at] as number) + amount * this.#decay.gain
  }

  /** A measure's rate as of the last tick, a second. */
  perSecond(tracked: TrackedKey, side: Side, measure: Measure): number {
    return this.#decay.perSecond(this.#countOf(tracked, side, measure))
  }

  /** A measure's count, decayed to the last tick. */
  unitsNow(tracked: TrackedKey, side: Side, measure: Measure): number {
    return this.#decay.unitsNow(this.#countOf(tracked, side, measure))
  }

  /** Applies the factor that a tick of the shared decay returned. */
  rescale(factor: number): void {
    for (let i = 0; i < this.#counts.length; i++) this.#counts[i] = (this.#counts[i] as number) * factor
  }

  #countOf(tracked: TrackedKey, side: Side, measure: Measure): number {
    return this.#counts[tracked.row * columnCount + columns[side][measure]] as number
  }
}

/** V8's header and at most two bytes a character. */
function stringBytes(length: number): number {
  return 16 + 2 * length
}
