import { at, latest, max, sum, type ChangeOf, type TimedValue, type ValueOf } from '@spillway/core'

import type { LogEntry } from './log/log-entry.js'

/** The record of a user, the same for all strategies. */
export const userRules = { edits: sum(), bytes: sum(), lastEditMs: max(), lastPage: latest<string>() }

/** A change to the record of a user. */
export type UserChange = Omit<ChangeOf<typeof userRules>, 'edits' | 'lastPage'> & {
  readonly edits: 1
  readonly lastPage?: TimedValue<string>
}

/** What a read of the record of a user gives. */
export type UserTotals = ValueOf<typeof userRules>

/** The change that an entry makes. A log of one's own without times or pages leaves those fields out. */
export function changeOf(entry: LogEntry): UserChange {
  const { line, timeMs, bytes, page } = entry
  return {
    edits: 1,
    ...(bytes !== undefined && { bytes }),
    ...(timeMs !== undefined && { lastEditMs: timeMs }),
    ...(page !== undefined && { lastPage: at(page, timeMs ?? 0, line) }),
  }
}
