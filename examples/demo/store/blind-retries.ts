// Problem: the peers must be retried as they are in production, no worse and no better.
// Scheme: the standard retry strategy of the AWS SDK for JavaScript v3, as it is by default: 3 attempts in all, full jitter,
//   base 100 ms, after a throttle 500 ms, and a quota of 500 tokens a client. It does not ask whether a call is idempotent.
// Invariants: never more than `attemptsMax` attempts; the last error is what the caller gets.
// Cost: none but the waiting.
// Source: smithy-typescript, packages/util-retry/src: StandardRetryStrategy.ts, defaultRetryBackoffStrategy.ts, constants.ts.

import { setTimeout as sleep } from 'node:timers/promises'

import { isBackendError, type Random } from '@spillway/core'

/** Attempts of one call, the first included (`DEFAULT_MAX_ATTEMPTS`). */
export const attemptsMax = 3

const delayBaseMs = 100 // DEFAULT_RETRY_DELAY_BASE
const throttleDelayBaseMs = 500 // THROTTLING_RETRY_DELAY_BASE
const delayMaxMs = 20_000 // MAXIMUM_RETRY_DELAY
const tokensAtStart = 500 // INITIAL_RETRY_TOKENS
const throttleCost = 5 // RETRY_COST
const transientCost = 10 // TIMEOUT_RETRY_COST

/** One client's retries. */
export class BlindRetries {
  readonly #random: Random
  #tokens = tokensAtStart

  constructor(random: Random) {
    this.#random = random
  }

  /** Makes `attempt` until it succeeds, three times at most. Rejects with the error of the last one. */
  async run<T>(attempt: () => Promise<T>): Promise<T> {
    for (let retries = 0, cost = 1; ; retries++) {
      try {
        const answer = await attempt()
        this.#tokens = Math.max(tokensAtStart, this.#tokens + cost) // so the SDK: any success fills the quota up again
        return answer
      } catch (error) {
        const kind = isBackendError(error) ? error.kind : 'invalid'
        cost = kind === 'throttled' ? throttleCost : transientCost
        const isRetried = kind === 'throttled' || kind === 'unavailable' || kind === 'unknown'
        if (!isRetried || retries + 1 >= attemptsMax || this.#tokens < cost) throw error
        this.#tokens -= cost
        await sleep(this.#delayMs(retries, kind === 'throttled' ? throttleDelayBaseMs : delayBaseMs))
      }
    }
  }

  #delayMs(retries: number, baseMs: number): number {
    return Math.floor(Math.min(delayMaxMs, this.#random.next() * 2 ** retries * baseMs))
  }
}
