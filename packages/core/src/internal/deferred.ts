/** A promise with its two ends. */
export class Deferred<T> {
  /** Given to whoever waits. */
  readonly promise: Promise<T>
  /** Settles it with a value. */
  resolve!: (value: T | PromiseLike<T>) => void
  /** Settles it with an error. */
  reject!: (error: unknown) => void

  constructor() {
    this.promise = new Promise<T>((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
  }
}
