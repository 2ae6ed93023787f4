import type { Deferred } from '../internal/deferred.js'
import type { Timer } from '../time/clock.js'
import type { Flight, FlightStart } from './flight.js'
import type { Window } from './window.js'

/** A window that takes no more. */
export interface Backlogged {
  readonly window: Window
  /** How an earlier life has sent it; undefined when it has not. */
  readonly start: FlightStart | undefined
}

/** A key with something under way. */
export interface Entry {
  /** As the caller names it. */
  readonly name: string
  /** With the record's prefix: what the stages behind know. */
  readonly key: string
  /** Collects what arrives now. */
  window: Window | undefined
  /** Carries the window before. */
  flight: Flight | undefined
  /** What leaves before the open window does: from an earlier life, or without room in that window. Undefined stands for none. */
  backlog: Backlogged[] | undefined
  /** Set while a hot key rests between two flushes. */
  rest: Timer | undefined
  /** Reads that look at the open window; it stays open as long. */
  holds: number
  /** Those who wait for the flight to land, in order to hold. */
  holdsWaiting: Deferred<void> | undefined
  /** Another entry may stand under its name by now. */
  isGone: boolean
}

/** A key that nothing is known of yet, and that stands under no name yet. */
export function newEntry(prefix: string, name: string): Entry {
  return {
    name,
    key: prefix === '' ? name : prefix + name,
    window: undefined,
    flight: undefined,
    backlog: undefined,
    rest: undefined,
    holds: 0,
    holdsWaiting: undefined,
    isGone: true,
  }
}

/** A window that only other holds keep from leaving: who comes now waits for it, or reads could keep it back for ever. */
export function isOverdue(entry: Entry): boolean {
  return entry.holds > 0 && entry.window !== undefined && entry.rest === undefined
}
