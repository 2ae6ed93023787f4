// Problem: with autoResendUnfulfilledCommands: false, ioredis up to 6.0.0 and iovalkey up to 0.4.0 forget what was under way when a
//   connection is lost, once they have another: those promises never settle.
// Scheme: what such a client is asked for is also ended by the loss of its connection.
// Invariants: every request settles; it fails with an error that the error table takes for «unknown».
// Cost: a promise a request, for clients with that option alone.
// Source: ioredis 6.0 and 5.11, iovalkey 0.4, lib/redis/event_handler.ts, readyHandler; github.com/redis/ioredis/issues/2193.

/** Ends requests whose client forgets them. */
export class LostCommands {
  readonly #waiting = new Set<(error: Error) => void>()

  /** Settles as `sent` does, or fails when the connection is lost before. */
  orLost<T>(sent: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject)
      sent.then(resolve, reject).finally(() => this.#waiting.delete(reject))
    })
  }

  /** The connection is lost. */
  fail(): void {
    for (const reject of this.#waiting)
      reject(new Error('The connection was lost, and the client does not send again what was under way.'))
    this.#waiting.clear()
  }
}
