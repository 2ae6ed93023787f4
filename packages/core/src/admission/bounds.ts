import { ClosedError } from '../errors/closed-error.js'
import { LimitReachedError } from '../errors/limit-error.js'
import { rejectOnAbort } from '../internal/abort.js'
import type { ResolvedLimits } from '../resolved-options.js'

interface Waiter {
  enter(): void
  refuse(error: unknown): void
}

/**
 * Bounds what is held in memory: keys with something under way, and the bytes of it. At a bound callers wait their turn in a
 * bounded queue, or are refused. The last to enter may exceed the bound on bytes by its own change.
 */
export class Bounds {
  readonly #limits: ResolvedLimits
  readonly #operation: string
  readonly #waiters = new Set<Waiter>()
  #keys = 0
  #bytes = 0
  #isWaking = false

  constructor(limits: ResolvedLimits, operation: 'read()' | 'write()') {
    this.#limits = limits
    this.#operation = operation
  }

  /** Whether another key may enter now. Those who wait come first. */
  get hasRoom(): boolean {
    return this.#isBelow && (this.#waiters.size === 0 || this.#isWaking)
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

  /** Runs `enter` when there is room, in the order of the calls. Rejects with `LIMIT_REACHED`, or with the signal's reason. */
  whenRoom<T>(key: string, signal: AbortSignal | undefined, enter: () => Promise<T>): Promise<T> {
    const { atLimit, waitersMax, keysMax, bytesMax } = this.#limits
    if (atLimit === 'reject') {
      const [limit, max] = this.hasBytes
        ? (['limits.keysMax', keysMax] as const)
        : (['limits.bytesMax', bytesMax] as const)
      return Promise.reject(new LimitReachedError(limit, max, key))
    }
    if (this.#waiters.size >= waitersMax)
      return Promise.reject(new LimitReachedError('limits.waitersMax', waitersMax, key))
    let waiter: Waiter | undefined
    const entered = new Promise<T>((resolve, reject) => {
      waiter = { enter: () => resolve(enter()), refuse: reject }
      this.#waiters.add(waiter)
    })
    if (signal === undefined) return entered
    return rejectOnAbort(entered, signal, () => waiter !== undefined && this.#waiters.delete(waiter))
  }

  /** Refuses all who wait: their changes have not been accepted. */
  close(): void {
    for (const waiter of this.#waiters) waiter.refuse(new ClosedError(this.#operation))
    this.#waiters.clear()
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
      waiter.enter()
    }
    this.#isWaking = false
  }
}
