import { machineMs } from '../time/elapsed.js'
import type { ChaosRecords, RecordValue } from './chaos-client.js'
import type { Ledger } from './ledger.js'

/** Writes and reads of records by one process, which holds each read against its own acknowledged writes. */
export class RecordWork {
  readonly #records: ChaosRecords
  readonly #ledger: Ledger
  /** Operations that were acknowledged to this process, by key, in the order of their acknowledgement. */
  readonly #own = new Map<string, string[]>()

  constructor(records: ChaosRecords, ledger: Ledger) {
    this.#records = records
    this.#ledger = ledger
  }

  /** Counts one, under a new name. */
  async write(key: string): Promise<void> {
    const id = this.#ledger.nextId()
    const beganMs = this.#ledger.note('began', id, 'write', key, '')
    const change = { count: 1, ids: [id], peak: Math.floor(beganMs), last: id }
    if ((await this.#ledger.outcomeOf(id, this.#records.write(key, change))) !== 'acknowledged') return
    const own = this.#own.get(key)
    if (own === undefined) this.#own.set(key, [id])
    else own.push(id)
  }

  /** Reads a key, and says what is wrong with it. */
  async read(key: string): Promise<void> {
    const ownCount = this.#own.get(key)?.length ?? 0
    const beganMs = machineMs()
    let value: RecordValue
    try {
      value = await this.#records.read(key)
    } catch (error) {
      this.#ledger.noteFailure('read', error)
      return
    }
    this.#ledger.note('read', key, beganMs, value.count)
    const missing = (this.#own.get(key) ?? []).slice(0, ownCount).filter((id) => !value.ids.has(id))
    if (missing.length > 0)
      this.#ledger.note(
        'wrong',
        `a read of record ${key} that began at ${beganMs} is without own writes ${missing.join(', ')}`,
      )
    if (value.count !== value.ids.size)
      this.#ledger.note('wrong', `a read of record ${key} counts ${value.count} writes, and names ${value.ids.size}`)
  }
}
