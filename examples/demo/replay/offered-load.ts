import type { LogEntry } from '../log/log-entry.js'

/** A key and the writes that were asked of it in the last second. */
export interface OfferedKey {
  /** The key. */
  readonly key: string
  /** Writes that callers asked for in the last second, over all clients, done or not. */
  readonly writesPerSecond: number
}

const spanMs = 1_000

/** Which keys are asked for how many writes in the last second. Knows nothing of what became of them. */
export class OfferedLoad {
  readonly #entries: LogEntry[] = []
  readonly #offeredAtMs: number[] = []
  readonly #counts = new Map<string, number>()
  #expired = 0

  /** Counts an entry that is offered now. Returns how often its key was offered in the last second, this time included. */
  offer(entry: LogEntry, nowMs: number): number {
    this.#expire(nowMs)
    this.#entries.push(entry)
    this.#offeredAtMs.push(nowMs)
    const count = (this.#counts.get(entry.key) ?? 0) + 1
    this.#counts.set(entry.key, count)
    return count
  }

  /** The keys with the most writes, but none under `least` a second. */
  top(keyCount: number, least: number, nowMs: number): readonly OfferedKey[] {
    this.#expire(nowMs)
    const keys: OfferedKey[] = []
    for (const [key, writesPerSecond] of this.#counts) if (writesPerSecond >= least) keys.push({ key, writesPerSecond })
    return keys.toSorted((a, b) => b.writesPerSecond - a.writesPerSecond).slice(0, keyCount)
  }

  #expire(nowMs: number): void {
    for (; this.#expired < this.#entries.length; this.#expired++) {
      if ((this.#offeredAtMs[this.#expired] ?? nowMs) > nowMs - spanMs) return
      const key = this.#entries[this.#expired]?.key ?? ''
      const count = (this.#counts.get(key) ?? 0) - 1
      if (count > 0) this.#counts.set(key, count)
      else this.#counts.delete(key)
    }
  }
}
