// Problem: «the totals agree» must mean the same for a client that reports failures and for one that hides them.
// Scheme: a key's record is compared with the totals of all its entries; if it differs, with what the callers were told:
//   acknowledged writes are in once, rejected ones are not, and each unknown one is in once or not at all.
// Invariants: the expectation comes from the log alone. A record that no choice of the unknown writes explains is wrong.
// Cost: one fold a key; up to 2^12 folds for a key with unknown writes.

import type { LogEntry } from '../log/log-entry.js'
import type { UserTotals } from '../record.js'
import { totalsOf, type KeyLedger } from './expected-totals.js'

/** How a record compares with the log. */
export type Verdict =
  /** All entries are in, once. */
  | 'as-logged'
  /** It differs from the log exactly as far as the callers were told that writes had failed. */
  | 'as-told'
  /** It differs, and nobody was told. */
  | 'wrong'

/** More unknown writes of one key than this are not tried one by one: then the sums have to lie within their bounds. */
export const unknownTriedMax = 12

/** Compares one key's record with its ledger. */
export function checkTotals(ledger: KeyLedger, actual: UserTotals): Verdict {
  const { done, rejected, unknown } = ledger
  if (isSame(totalsOf([...done, ...rejected, ...unknown]), actual)) return 'as-logged'
  return isExplained(done, unknown, actual) ? 'as-told' : 'wrong'
}

function isExplained(done: readonly LogEntry[], unknown: readonly LogEntry[], actual: UserTotals): boolean {
  if (unknown.length > unknownTriedMax) return isWithin(done, unknown, actual)
  for (let choice = 0; choice < 2 ** unknown.length; choice++) {
    const written = unknown.filter((_entry, i) => (choice & (1 << i)) !== 0)
    if (isSame(totalsOf([...done, ...written]), actual)) return true
  }
  return false
}

function isWithin(done: readonly LogEntry[], unknown: readonly LogEntry[], actual: UserTotals): boolean {
  const least = totalsOf(done)
  const bytesAdded = unknown.reduce((total, entry) => total + Math.max(0, entry.bytes ?? 0), 0)
  const bytesTaken = unknown.reduce((total, entry) => total + Math.min(0, entry.bytes ?? 0), 0)
  const candidates = [least, ...unknown.map((entry) => totalsOf([...done, entry]))]
  return (
    actual.edits >= least.edits &&
    actual.edits <= least.edits + unknown.length &&
    actual.bytes >= least.bytes + bytesTaken &&
    actual.bytes <= least.bytes + bytesAdded &&
    candidates.some(({ lastEditMs, lastPage }) => lastEditMs === actual.lastEditMs && lastPage === actual.lastPage)
  )
}

function isSame(expected: UserTotals, actual: UserTotals): boolean {
  return (
    expected.edits === actual.edits &&
    expected.bytes === actual.bytes &&
    expected.lastEditMs === actual.lastEditMs &&
    expected.lastPage === actual.lastPage
  )
}
