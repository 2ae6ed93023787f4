// Problem: exactly one process should add up the fleet's heat; any may die, sleep or be cut off, and a thousand must not all
//   run for it at once.
// Scheme: the directory, which every process fetches anyway, names a leader and a term that grows every lease. A process that
//   finds no leader, or one whose term has stood still for three leases by its own monotonic clock, may take its place by a
//   swap: once an epoch, by a chance that rises with its share of the fleet's heat and doubles with every epoch in vain.
// Invariants: whoever leads has begun a swap that succeeded less than two leases ago, by the clock that fails closed; so it has
//   stopped before another may begin. Even two leaders would harm nothing: routes change by compare-and-swap alone.
// Cost: one swap a lease by the leader; to find one, a swap for about one process of sixteen, and fewer where most write
//   little; nothing while nobody needs a leader.
// Source: Gray and Cheriton, «Leases» (SOSP 1989).

import type { Random } from '../chance/random.js'
import type { Directory, Leader } from '../routing/directory.js'
import type { Clock } from '../time/clock.js'

/** Terms that stand still for so many leases have no leader any more. */
const staleLeases = 3

/** Leads for so many leases after the beginning of a swap. */
const leadLeases = 2

/** Resigns after so many leases in which there was nothing to decide. */
const idleLeases = 5

/** The chance to run in the first epoch of a process with that much of the fleet's heat, in intervals, or more: a quarter of a shard's plan. */
const most = { share: 8, chance: 1 / 16 }

/** The same of a process that has nothing but routes to look after. */
const quietChance = 1 / 64

/** What leadership needs of routing. */
export interface LeaderRouting {
  /** The snapshot, under a lease or not. */
  latest(): { readonly directory: Directory } | undefined
  /** Swaps the directory for what `change` makes of it; false when another client was faster. */
  swap(change: (directory: Directory) => Directory | undefined): Promise<boolean>
}

/** What leadership is built from. */
export interface LeadershipParts {
  readonly routing: LeaderRouting
  readonly clock: Clock
  readonly random: Random
  /** Names this process. */
  readonly id: string
  readonly leaseMs: number
  onError(error: unknown): void
}

/** Whether this process leads. */
export class Leadership {
  readonly #parts: LeadershipParts
  /** The leader as it was last seen to change. */
  #seen: { readonly leader: Leader | undefined; readonly sinceMs: number } | undefined
  #leadsUntilMs = Number.NEGATIVE_INFINITY
  #renewAtMs = 0
  #neededAtMs = Number.NEGATIVE_INFINITY
  #epochsInVain = 0
  #swapping: Promise<void> | undefined

  constructor(parts: LeadershipParts) {
    this.#parts = parts
  }

  /** Whether this process leads at `nowMs`. */
  leadsAt(nowMs: number): boolean {
    return nowMs < this.#leadsUntilMs
  }

  /** Whether the directory names this process as the leader, so that it must resign when it goes. */
  isNamed(): boolean {
    return this.#look()?.id === this.#parts.id
  }

  /** Whether it must resign when it goes: it is named, or may be in a moment. */
  mustResign(): boolean {
    return this.isNamed() || this.#swapping !== undefined
  }

  /** Whether another process leads, as far as can be seen. */
  isLedByAnother(): boolean {
    const leader = this.#look()
    return leader !== undefined && leader.id !== this.#parts.id && !this.#isVacant()
  }

  /** There is something to decide. */
  noteNeed(nowMs: number): void {
    this.#neededAtMs = nowMs
  }

  /** Looks at the directory; renews or resigns when it is time. */
  tick(nowMs: number): void {
    const leader = this.#look()
    if (leader?.id !== this.#parts.id || this.#swapping !== undefined || nowMs < this.#renewAtMs) return
    // A process that does not lead although it is named has had a swap whose answer it missed.
    if (nowMs - this.#neededAtMs > idleLeases * this.#parts.leaseMs) this.#begin(nowMs, 'resign')
    else this.#begin(nowMs, 'lead')
  }

  /** Called once an epoch, at a moment of the process's own: runs for leader if there is none. `share` is its part of the fleet's heat, in intervals of units. */
  run(nowMs: number, share: number, hasRoutes: boolean): void {
    if (share > 0 || hasRoutes) this.noteNeed(nowMs)
    const isVacant = this.#isVacant()
    if (!isVacant || (share === 0 && !hasRoutes) || this.#swapping !== undefined) {
      if (!isVacant) this.#epochsInVain = 0
      return
    }
    const own = Math.min(1, share / most.share) * most.chance
    const chance = Math.max(own, hasRoutes ? quietChance : 0) * 2 ** this.#epochsInVain
    this.#epochsInVain += 1
    if (this.#parts.random.next() < chance) this.#begin(nowMs, 'lead')
  }

  /** Stops to lead at once, and lets the others know. Resolves when no swap is under way. */
  async close(nowMs: number): Promise<void> {
    await this.#swapping
    if (this.isNamed()) this.#begin(nowMs, 'resign')
    await this.#swapping
  }

  #look(): Leader | undefined {
    const { routing, clock } = this.#parts
    const leader = routing.latest()?.directory.leader
    if (this.#seen === undefined || !isSame(this.#seen.leader, leader))
      this.#seen = { leader, sinceMs: clock.monotonicMs() }
    return leader
  }

  #isVacant(): boolean {
    const leader = this.#look()
    if (leader === undefined) return this.#parts.routing.latest() !== undefined
    if (leader.id === this.#parts.id) return false
    return this.#parts.clock.monotonicMs() - (this.#seen?.sinceMs ?? 0) >= staleLeases * this.#parts.leaseMs
  }

  #begin(beganMs: number, aim: 'lead' | 'resign'): void {
    this.#renewAtMs = beganMs + this.#parts.leaseMs
    if (aim === 'resign') this.#leadsUntilMs = Number.NEGATIVE_INFINITY
    this.#swapping = this.#swap(beganMs, aim)
      .catch((error: unknown) => this.#parts.onError(error))
      .finally(() => {
        this.#swapping = undefined
        // Beaten, or without an answer: there is time for a few more before the lead ends.
        if (aim === 'lead' && this.#leadsUntilMs < beganMs + leadLeases * this.#parts.leaseMs)
          this.#renewAtMs = beganMs + this.#parts.leaseMs / 4
      })
  }

  async #swap(beganMs: number, aim: 'lead' | 'resign'): Promise<void> {
    const { id, leaseMs, routing } = this.#parts
    const before = this.#seen?.leader
    let isChanged = false
    const isSwapped = await routing.swap((directory) => {
      // Another one has come, or the former one is alive after all.
      isChanged = isSame(directory.leader, before)
      if (!isChanged) return undefined
      const leader = aim === 'lead' ? { id, term: (before?.term ?? 0) + 1 } : undefined
      return { ...directory, counter: directory.counter + 1, leader }
    })
    if (isSwapped && isChanged && aim === 'lead') this.#leadsUntilMs = beganMs + leadLeases * leaseMs
  }
}

function isSame(a: Leader | undefined, b: Leader | undefined): boolean {
  return a?.id === b?.id && a?.term === b?.term
}
