import { ClosedError } from '../errors/closed-error.js'
import { LimitReachedError } from '../errors/limit-error.js'
import { rejectOnAbort } from '../internal/abort.js'
import { Deferred } from '../internal/deferred.js'
import type { ResolvedLimits } from '../resolved-options.js'

interface Waiter {
  readonly bytes: number
  readonly enter: () => void
  readonly refuse: (error: unknown) => void
}

/**
 * Bounds what is held in memory: keys with something under way, and the bytes of it. At a bound callers wait their turn in a
 * bounded queue, or are refused. The last to enter may exceed the bound on bytes by its own change; those who wait hold at most
 * as many bytes again.
 */
export class Bounds {
  readonly #limits: ResolvedLimits
  readonly #operation: string
  readonly #waiters = new Set<Waiter>()
  #keys = 0
  #bytes = 0
  #waitingBytes = 0
  #isWaking = false

  constructor(limits: ResolvedLimits, operation: 'read()' | 'write()') {
    this.#limits = limits
    this.#operation = operation
  }

  /** Whether another key may enter now. Who waits has been let in before. */
  get hasRoom(): boolean {
    return this.#isBelow
  }

  /** Whether a key that has entered may take more bytes now. */
  get hasBytes(): boolean {
    return this.#bytes < this.#limits.bytesMax
  }

  /** Counts a key in. */
  enter(bytes: number): void {
    this.#keys += 1
    this.#bytes += bytes
  }

  /** Counts a key out. */
  leave(bytes: number): void {
    this.#keys -= 1
    this.release(bytes)
  }

  /** Counts bytes in. */
  take(bytes: number): void {
    this.#bytes += bytes
  }

  /** Counts bytes out and lets those who wait enter. */
  release(bytes: number): void {
    this.#bytes -= bytes
    if (this.#waiters.size > 0) this.#wake()
  }

  /**
   * Runs `enter` when there is room, in the order of the calls; until then the caller holds `bytes`. Rejects with
   * `LIMIT_REACHED`, or with the signal's reason.
   */
  whenRoom<T>(key: string, bytes: number, signal: AbortSignal | undefined, enter: () => Promise<T>): Promise<T> {
    const problem = this.#refusal(key, bytes)
    if (problem !== undefined) return Promise.reject(problem)
    const entered = new Deferred<T>()
    const waiter: Waiter = { bytes, enter: () => entered.resolve(enter()), refuse: entered.reject }
    this.#waiters.add(waiter)
    this.#waitingBytes += bytes
    if (signal === undefined) return entered.promise
    return rejectOnAbort(entered.promise, signal, () => {
      if (this.#waiters.delete(waiter)) this.#waitingBytes -= bytes
    })
  }

  /** Refuses all who wait: their changes have not been accepted. */
  close(): void {
    for (const waiter of this.#waiters) waiter.refuse(new ClosedError(this.#operation))
    this.#waiters.clear()
    this.#waitingBytes = 0
  }

  #refusal(key: string, bytes: number): LimitReachedError | undefined {
    const { atLimit, waitersMax, keysMax, bytesMax } = this.#limits
    const [limit, max] = this.hasBytes
      ? (['limits.keysMax', keysMax] as const)
      : (['limits.bytesMax', bytesMax] as const)
    if (atLimit === 'reject') {
      const advice = `Slow down, raise ${limit}, or let callers wait with limits.atLimit: 'wait'.`
      return new LimitReachedError(limit, max, key, advice)
    }
    const advice = `So many callers wait already, since ${limit} = ${max} is reached. Slow down, or raise one of the two.`
    if (this.#waiters.size >= waitersMax) return new LimitReachedError('limits.waitersMax', waitersMax, key, advice)
    if (this.#waitingBytes + bytes > bytesMax) return new LimitReachedError('limits.bytesMax', bytesMax, key, advice)
    return undefined
  }

  get #isBelow(): boolean {
    return this.#keys < this.#limits.keysMax && this.#bytes < this.#limits.bytesMax
  }

  #wake(): void {
    if (this.#isWaking) return
    this.#isWaking = true
    for (const waiter of this.#waiters) {
      if (!this.#isBelow) break
      this.#waiters.delete(waiter)
      this.#waitingBytes -= waiter.bytes
      waiter.enter()
    }
    this.#isWaking = false
  }
}
