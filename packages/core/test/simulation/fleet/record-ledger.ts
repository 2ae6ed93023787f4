import type { FieldChange } from '../../../src/index.js'
import type { LatestState } from '../../../src/merge/latest.js'
import { compareStamps, type Stamp } from '../../../src/merge/stamp.js'

/** What became of an operation. One of a process that has crashed stays pending for ever. */
export type Fate = 'pending' | 'written' | 'rejected' | 'unknown'

/** A write, and what is known of it. */
export interface RecordWrite {
  readonly key: string
  readonly number: number
  readonly id: string
  fate: Fate
  /** When it was acknowledged, and when a read that had it was over: in the order of all that happens. */
  writtenAt: number
  seenAt: number
  /** Of its value in the field that keeps the latest one; undefined when another of the same window went before it, or none was sent. */
  stamp: Stamp | undefined
}

/** What a reader sees. */
export interface RecordView {
  readonly n: number
  readonly ids: ReadonlySet<string>
  readonly top: number | undefined
  readonly last: number | undefined
}

/**
 * Every write carries an id of its own in a union, one in a sum, and its number in a maximum and as the latest value: the union
 * says which writes a reader sees and the sum how often each was counted, so a lost write and a doubled one both show at once.
 */
export class RecordLedger {
  readonly #byKey = new Map<string, RecordWrite[]>()
  readonly #byNumber: RecordWrite[] = []

  /** All writes of a key. */
  of(key: string): readonly RecordWrite[] {
    return this.#byKey.get(key) ?? []
  }

  /** A write begins. */
  begin(key: string): RecordWrite {
    const number = this.#byNumber.length + 1
    const write: RecordWrite = {
      key,
      number,
      id: `w${number}`,
      fate: 'pending',
      writtenAt: Infinity,
      seenAt: Infinity,
      stamp: undefined,
    }
    this.#byNumber.push(write)
    const known = this.#byKey.get(key)
    if (known === undefined) this.#byKey.set(key, [write])
    else known.push(write)
    return write
  }

  /** A window has set out: of its writes one has the latest value. */
  sent(changes: readonly FieldChange[]): void {
    const state = changes.find(({ name }) => name === 'last')?.state as LatestState | undefined
    if (state === undefined) return
    const write = this.#byNumber[Number(state.json) - 1]
    if (write !== undefined) write.stamp = state.stamp
  }

  /** Holds what a read that began at `beganAt` gave against the writes; answers with what is wrong, undefined when nothing is. */
  check(
    key: string,
    { n, ids, top, last }: RecordView,
    beganAt: number,
    nowAt: number,
    mayMiss: boolean,
  ): string | undefined {
    let seen = 0
    let highest: number | undefined
    let newest: RecordWrite | undefined
    for (const write of this.of(key)) {
      if (!ids.has(write.id)) {
        if (!mayMiss && write.writtenAt < beganAt) return `misses the acknowledged write ${write.id}`
        if (!mayMiss && write.seenAt < beganAt) return `misses ${write.id}, which an earlier read has seen`
        continue
      }
      seen += 1
      if (write.fate === 'rejected') return `has ${write.id}, which was rejected as not written`
      write.seenAt = Math.min(write.seenAt, nowAt)
      highest = Math.max(highest ?? 0, write.number)
      const { stamp } = write
      if (stamp !== undefined && (newest?.stamp === undefined || compareStamps(newest.stamp, stamp) < 0)) newest = write
    }
    if (seen !== ids.size) return `has ${[...ids].join(' ')}, of which some were never written`
    if (n !== ids.size) return `counts ${n} for the ${ids.size} writes that it has: ${[...ids].join(' ')}`
    if (top !== highest) return `has a maximum of ${top}, not ${highest}`
    if (last !== newest?.number) return `has ${last} as the latest, not ${newest?.number}`
    return undefined
  }
}
