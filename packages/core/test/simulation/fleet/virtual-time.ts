import { runReactions } from './microtasks.js'

interface Event {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

/** The world's own time: events in their order, each of which runs to its end, promise reactions included, before the next. */
export class VirtualTime {
  nowMs = 0
  readonly #heap: Event[] = []
  #order = 0

  /** Runs something after `delayMs`. */
  after(delayMs: number, run: () => void): void {
    const event = { atMs: this.nowMs + delayMs, order: this.#order++, run }
    const heap = this.#heap
    let i = heap.length
    heap.push(event)
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!isBefore(event, heap[parent]!)) break
      heap[i] = heap[parent]!
      i = parent
    }
    heap[i] = event
  }

  /** Runs what is due within `ms`, and is so much later then. Ends early as soon as `isOver` says so. */
  run(ms: number, isOver: () => boolean = never): void {
    const untilMs = this.nowMs + ms
    runReactions()
    for (let next = this.#heap[0]; next !== undefined && next.atMs <= untilMs; next = this.#heap[0]) {
      if (isOver()) return
      this.#removeFirst()
      this.nowMs = next.atMs
      next.run()
      runReactions()
    }
    if (!isOver()) this.nowMs = untilMs
  }

  #removeFirst(): void {
    const heap = this.#heap
    const last = heap.pop()!
    if (heap.length === 0) return
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1
      if (!isBefore(heap[child]!, last)) break
      heap[i] = heap[child]!
      i = child
    }
    heap[i] = last
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}

function never(): boolean {
  return false
}
