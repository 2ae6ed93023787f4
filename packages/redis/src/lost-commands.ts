// Problem: with autoResendUnfulfilledCommands: false, ioredis up to 6.0.0 and iovalkey up to 0.4.0 forget what was under way when a
//   connection is lost, once they have another: those promises never settle.
// Scheme: what such a client has sent is also ended by the loss of its connection. What still waits for one is not: the client
//   keeps that, through every attempt to connect that fails, and sends it once there is one.
// Invariants: every request settles that the client keeps or has sent; the lost fail with an error that the error table takes for
//   «unknown».
// Cost: a promise a request, for clients with that option alone.
// Source: ioredis 6.0 and 5.11, iovalkey 0.4, lib/redis/event_handler.ts, readyHandler; github.com/redis/ioredis/issues/2193.

/** Ends requests whose client forgets them. */
export class LostCommands {
  readonly #queued = new Set<(error: Error) => void>()
  readonly #underWay = new Set<(error: Error) => void>()

  /** Settles as `asked` does, or fails when the connection is lost after it went out: at once if that `isUp`. */
  orLost<T>(asked: Promise<T>, isUp: boolean): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiting = isUp ? this.#underWay : this.#queued
      waiting.add(reject)
      const settle = (): void => {
        this.#queued.delete(reject)
        this.#underWay.delete(reject)
      }
      asked.then(resolve, reject).finally(settle)
    })
  }

  /** There is a connection: what was queued has gone out. */
  sent(): void {
    for (const reject of this.#queued) this.#underWay.add(reject)
    this.#queued.clear()
  }

  /** The connection is lost. */
  fail(): void {
    for (const reject of this.#underWay)
      reject(new Error('The connection was lost, and the client does not send again what was under way.'))
    this.#underWay.clear()
  }
}
