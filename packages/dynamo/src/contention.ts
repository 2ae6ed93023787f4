// Problem: a condition that fails because of rivals is worth another try, and one that fails on what stands there for good is not.
// Scheme: a round that lost no field is a collision: it is followed by a pause, unless the item is what the round was built on.
// Invariants: no two rounds in a row are built on the same item; nothing is sent once the caller has gone.
// Cost: up to 64 ms a collision, on average half of that.

import { isDeepStrictEqual } from 'node:util'

import { BackendError, type Call } from '@spillway/core'

import { jittered } from './chance/jittered.js'
import type { Item } from './table.js'
import { pause } from './time/pause.js'

/** The longest pause after a collision. */
const pauseMsMax = 64

/** What a round was built on and what made its condition fail; `builtOn` is undefined where nothing had been read. */
export interface Collision {
  readonly place: string
  readonly round: number
  readonly builtOn: Item | undefined
  readonly found: Item
}

/** Waits before the next round. Rejects with `BackendError` when that one would fail in the same way, or nobody waits for it. */
export async function afterCollision({ place, round, builtOn, found }: Collision, call: Call): Promise<void> {
  if (builtOn !== undefined && isDeepStrictEqual(builtOn, found)) throw stuck(place)
  await pause(jittered(Math.min(pauseMsMax, 2 ** round)), call.signal)
  if (call.signal.aborted) throw contended(place)
}

/** A write whose condition went on failing: nothing was done. */
export function contended(place: string): BackendError {
  return new BackendError('unavailable', `Too many others changed ${JSON.stringify(place)} at the same time.`)
}

/** A write whose condition fails although nobody interfered: nothing was done. */
function stuck(place: string): BackendError {
  return new BackendError(
    'unavailable',
    `The condition of a write to ${JSON.stringify(place)} fails although nothing there has changed.`,
  )
}
