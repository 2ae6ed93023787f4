/** Something that must be over by a time. */
export interface Expiring {
  /** By when; kept by the list. */
  deadlineMs: number
  /** Called once when it is not. */
  expire(): void
  /** Neighbours in the list; kept by the list. */
  before: Expiring | undefined
  /** Neighbours in the list; kept by the list. */
  after: Expiring | undefined
}

/** Many deadlines of one length under one timer: adding and removing are a few pointer writes, and the oldest comes first. */
export class DeadlineList {
  readonly #onFirst: () => void
  #oldest: Expiring | undefined
  #newest: Expiring | undefined

  /** `onFirst` is called when the list is empty no more, and at each `expireUntil` that leaves something in it. */
  constructor(onFirst: () => void) {
    this.#onFirst = onFirst
  }

  /** Puts `item` under watch. Deadlines must not be added out of order. */
  add(item: Expiring, deadlineMs: number): void {
    item.deadlineMs = deadlineMs
    item.before = this.#newest
    item.after = undefined
    if (this.#newest === undefined) {
      this.#oldest = item
      this.#onFirst()
    } else this.#newest.after = item
    this.#newest = item
  }

  /** Takes `item` out. It must be in this list. */
  remove(item: Expiring): void {
    if (item.before === undefined) this.#oldest = item.after
    else item.before.after = item.after
    if (item.after === undefined) this.#newest = item.before
    else item.after.before = item.before
    item.before = undefined
    item.after = undefined
  }

  /** Takes out and expires all whose time has come. */
  expireUntil(nowMs: number): void {
    for (let item = this.#oldest; item !== undefined && item.deadlineMs <= nowMs; item = this.#oldest) {
      this.remove(item)
      item.expire()
    }
    if (this.#oldest !== undefined) this.#onFirst()
  }
}
