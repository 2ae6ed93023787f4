// Problem: some steps of a route need requests of their own, to places that may be throttled, slow or unreachable. One key that
//   cannot be served must hold up no other.
// Scheme: one job for each revision of a key's route, beside everything else, each with a back-off of its own; the coordinator
//   asks which are done.
// Invariants: at most one job a key is under way, and `underWayMax` in all; what is done is forgotten with its revision.
// Cost: an entry for each route that waits for a job.
// Source: docs/routing.md.

import { isRefusal } from '../backend/backend-error.js'
import type { Random } from '../chance/random.js'
import { backoffMs } from '../internal/backoff.js'
import type { Clock } from '../time/clock.js'
import { isSameRoute, type Route } from './route.js'

/** What jobs are built from. */
export interface KeyJobsParts {
  readonly clock: Clock
  readonly random: Random
  /** How many are under way at once. */
  readonly underWayMax: number
  /** What will not get better by itself is tried again after up to so long. */
  readonly refusedPauseMs: number
  /** After so long a job that has said nothing is begun anew: a store that never answers must not hold up its key for ever. */
  readonly silentMsMax: number
  /**
   * Does a job. It has failed when this rejects, and is done once `done` was called, which may come later than the end: a request
   * that is given up may be answered all the same. `over` says that nothing of it is under way any more.
   */
  readonly run: (key: string, route: Route, outcome: JobOutcome) => Promise<void>
  /** A job has failed so many times in a row; it is tried again. */
  readonly onFailure: (key: string, route: Route, error: unknown, failures: number) => void
}

/** What a job tells. */
export interface JobOutcome {
  /** It is done. */
  done(): void
  /** Nothing of it is under way any more. */
  over(): void
}

interface Job {
  readonly route: Route
  readonly beganMs: number
  isDone: boolean
  isUnderWay: boolean
  failures: number
  notBeforeMs: number
}

/** Jobs by key. */
export class KeyJobs {
  readonly #parts: KeyJobsParts
  readonly #jobs = new Map<string, Job>()
  readonly #underWay = new Set<Promise<void>>()

  constructor(parts: KeyJobsParts) {
    this.#parts = parts
  }

  /** Whether the job of this very revision is done. */
  isDone(key: string, route: Route): boolean {
    const job = this.#jobs.get(key)
    return job !== undefined && job.isDone && isSameRoute(job.route, route)
  }

  /** Begins the jobs of these routes that are not done yet; forgets what it knew of others. */
  want(routes: ReadonlyMap<string, Route>): void {
    const nowMs = this.#parts.clock.monotonicMs()
    for (const [key, job] of this.#jobs) {
      const route = routes.get(key)
      const isWanted = route !== undefined && isSameRoute(job.route, route)
      if (!isWanted && !this.#isBusy(job, nowMs)) this.#jobs.delete(key)
    }
    for (const [key, route] of routes) {
      if (this.#underWay.size >= this.#parts.underWayMax) return
      const job = this.#jobs.get(key)
      if (job !== undefined && (job.isDone || this.#isBusy(job, nowMs) || nowMs < job.notBeforeMs)) continue
      this.#begin(key, route, job?.failures ?? 0)
    }
  }

  /** Forgets what was done; what is under way does not count. */
  reset(): void {
    this.#jobs.clear()
  }

  /** Resolves when none is under way, or each has had its time. */
  async idle(): Promise<void> {
    await Promise.all(this.#underWay)
  }

  #isBusy({ isUnderWay, beganMs }: Job, nowMs: number): boolean {
    return isUnderWay && nowMs - beganMs < this.#parts.silentMsMax
  }

  #begin(key: string, route: Route, failures: number): void {
    const { clock, random, run, onFailure } = this.#parts
    const beganMs = clock.monotonicMs()
    const job: Job = { route, beganMs, isDone: false, isUnderWay: true, failures, notBeforeMs: 0 }
    this.#jobs.set(key, job)
    const outcome: JobOutcome = {
      done: () => (job.isDone = true),
      over: () => (job.isUnderWay = false),
    }
    const running = run(key, route, outcome).catch((error: unknown) => {
      job.failures += 1
      const pauseMs = isRefusal(error) ? this.#parts.refusedPauseMs * random.next() : 0
      job.notBeforeMs = clock.monotonicMs() + Math.max(pauseMs, backoffMs(job.failures, random))
      onFailure(key, route, error, job.failures)
    })
    this.#underWay.add(running)
    void running.finally(() => this.#underWay.delete(running))
  }
}
