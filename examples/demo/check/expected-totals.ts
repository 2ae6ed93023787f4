import type { LogEntry } from '../log/log-entry.js'
import type { UserTotals } from '../record.js'

/** What the caller was told of one entry's write. */
export type Outcome = 'done' | 'rejected' | 'unknown'

/** What a key's record must hold, going by the log and by what the callers were told. */
export interface KeyLedger {
  /** Writes that were acknowledged: in, once. */
  readonly done: LogEntry[]
  /** Writes that failed as «not written»: not in. */
  readonly rejected: LogEntry[]
  /** Writes that failed as «may be written»: in once, or not at all. */
  readonly unknown: LogEntry[]
}

/** Sorts the entries that were issued by key and outcome; `outcomes[line]` is undefined for one that was never issued. */
export function ledgersOf(
  entries: readonly LogEntry[],
  outcomes: readonly (Outcome | undefined)[],
): Map<string, KeyLedger> {
  const ledgers = new Map<string, KeyLedger>()
  for (const entry of entries) {
    const outcome = outcomes[entry.line]
    if (outcome === undefined) continue
    let ledger = ledgers.get(entry.key)
    if (ledger === undefined) ledgers.set(entry.key, (ledger = { done: [], rejected: [], unknown: [] }))
    ledger[outcome].push(entry)
  }
  return ledgers
}

/** The totals of exactly these entries, computed without any of the code under test. */
export function totalsOf(entries: readonly LogEntry[]): UserTotals {
  let bytes = 0
  let lastEditMs: number | undefined
  let newest: LogEntry | undefined
  for (const entry of entries) {
    bytes += entry.bytes ?? 0
    if (entry.timeMs !== undefined && !(lastEditMs !== undefined && lastEditMs >= entry.timeMs))
      lastEditMs = entry.timeMs
    if (entry.page !== undefined && (newest === undefined || isNewer(entry, newest))) newest = entry
  }
  return { edits: entries.length, bytes, lastEditMs, lastPage: newest?.page }
}

function isNewer(a: LogEntry, b: LogEntry): boolean {
  const aMs = a.timeMs ?? 0
  const bMs = b.timeMs ?? 0
  return aMs === bMs ? a.line > b.line : aMs > bMs
}
