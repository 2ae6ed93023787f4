/** One client's calls: so many in flight at once, the others wait in the order in which they came. */
export class ClientLane {
  readonly #inFlightMax: number
  readonly #waiting: (() => Promise<void>)[] = []
  #taken = 0
  #inFlight = 0
  #onIdle: (() => void) | undefined

  constructor(inFlightMax: number) {
    this.#inFlightMax = inFlightMax
  }

  /** Calls that have begun and are not answered. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** Begins `call` as soon as there is room. It must never reject. What waits is bounded by the length of the log. */
  submit(call: () => Promise<void>): void {
    this.#waiting.push(call)
    this.#pump()
  }

  /** Forgets the calls that have not begun. */
  drop(): void {
    this.#taken = this.#waiting.length
  }

  /** Resolves once nothing waits and nothing is in flight. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle = resolve
      this.#pump()
    })
  }

  #pump(): void {
    while (this.#inFlight < this.#inFlightMax && this.#taken < this.#waiting.length) {
      const call = this.#waiting[this.#taken]
      this.#taken += 1
      this.#inFlight += 1
      void call?.().then(() => {
        this.#inFlight -= 1
        this.#pump()
      })
    }
    if (this.#taken === this.#waiting.length) {
      this.#waiting.length = 0
      this.#taken = 0
      if (this.#inFlight === 0) this.#onIdle?.()
    }
  }
}
