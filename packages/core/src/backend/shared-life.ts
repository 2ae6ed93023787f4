import { asBackendError } from './backend-error.js'
import type { Backend, Call } from './backend.js'

/** What all guards of one backend object share. */
interface Life {
  /** How many guards have opened it, or are opening it, and have not closed it. */
  users: number
  /** The attempt to open it that is under way or has succeeded. */
  opened: Promise<void> | undefined
  /** The closing that is under way or was the last one; never rejects. */
  closed: Promise<void>
}

/** Weak, so that it holds nothing: the life of a backend object belongs to that object, whoever guards it. */
const lives = new WeakMap<Backend, Life>()

/** One guard's part in opening and closing a backend that others may share: opened by the first, closed after the last. */
export class SharedLife {
  readonly #backend: Backend
  readonly #life: Life
  #opened: Promise<void> | undefined
  #closed: Promise<void> | undefined
  #isUser = false
  #isOpen = false

  constructor(backend: Backend) {
    this.#backend = backend
    let life = lives.get(backend)
    if (life === undefined) {
      life = { users: 0, opened: undefined, closed: Promise.resolve() }
      lives.set(backend, life)
    }
    this.#life = life
  }

  /** Joins the backend's users; opens it when it is not open. A failed attempt may be repeated. Rejects with `BackendError`. */
  open(call: Call): Promise<void> {
    this.#opened ??= this.#join(call)
    return this.#opened
  }

  /**
   * Leaves the backend's users; closes it after the last one. An attempt to open it that is under way is not waited for, since
   * it may never end: should it succeed without users, it is closed then. Rejects with `BackendError`.
   */
  close(): Promise<void> {
    this.#closed ??= this.#leave()
    return this.#closed
  }

  async #join(call: Call): Promise<void> {
    const life = this.#life
    life.users += 1
    this.#isUser = true
    const attempt = (life.opened ??= openAfter(this.#backend, life.closed, call))
    try {
      await attempt
      this.#isOpen = true
    } catch (error) {
      this.#countOut()
      if (life.opened === attempt) life.opened = undefined
      this.#opened = undefined
      throw asBackendError(error)
    }
  }

  async #leave(): Promise<void> {
    const attempt = this.#life.opened
    if (this.#opened === undefined || attempt === undefined) return
    this.#countOut()
    if (this.#isOpen) await this.#closeUnused(attempt)
    else attempt.then(() => this.#closeUnused(attempt)).catch(leftBehind)
  }

  async #closeUnused(attempt: Promise<void>): Promise<void> {
    const life = this.#life
    if (life.users > 0 || life.opened !== attempt) return
    life.opened = undefined
    const closing = close(this.#backend)
    life.closed = closing.catch(leftBehind)
    await closing
  }

  #countOut(): void {
    if (this.#isUser) this.#life.users -= 1
    this.#isUser = false
  }
}

async function openAfter(backend: Backend, closed: Promise<void>, call: Call): Promise<void> {
  await closed
  await backend.open?.(call)
}

async function close(backend: Backend): Promise<void> {
  try {
    await backend.close?.()
  } catch (error) {
    throw asBackendError(error)
  }
}

/** Who would have been told has gone, or has been told already. */
function leftBehind(): void {}
