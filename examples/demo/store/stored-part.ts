import type { UserTotals } from '../record.js'

/** What one place of a record holds where an application keeps it by itself: numbers as text, undefined for what was never written. */
export interface StoredPart {
  readonly edits?: string | undefined
  readonly bytes?: string | undefined
  readonly lastEditMs?: string | undefined
  /** The time of the edit that the page is of. */
  readonly pageMs?: string | undefined
  /** Its line, which decides between edits of one millisecond. */
  readonly pageLine?: string | undefined
  readonly page?: string | undefined
}

/** The names of what is stored. */
export const storedFields = ['edits', 'bytes', 'lastEditMs', 'pageMs', 'pageLine', 'page'] as const

/** Adds the places of a record up. */
export function totalsOfParts(parts: readonly StoredPart[]): UserTotals {
  const times = parts.flatMap(({ lastEditMs }) => (lastEditMs === undefined ? [] : [Number(lastEditMs)]))
  const newest = parts
    .filter(({ page }) => page !== undefined)
    .toSorted(byEdit)
    .at(-1)
  return {
    edits: parts.reduce((total, { edits }) => total + Number(edits ?? 0), 0),
    bytes: parts.reduce((total, { bytes }) => total + Number(bytes ?? 0), 0),
    lastEditMs: times.length === 0 ? undefined : Math.max(...times),
    lastPage: newest?.page,
  }
}

function byEdit(a: StoredPart, b: StoredPart): number {
  return Number(a.pageMs) - Number(b.pageMs) || Number(a.pageLine) - Number(b.pageLine)
}
