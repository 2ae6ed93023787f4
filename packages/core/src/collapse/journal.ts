// Problem: a buffered change must be on disk before its caller is told, and a hot key gets thousands of them a second.
// Scheme: changes to one key merge until the commit that takes them begins; then they are one entry, and all who wrote them are
//   told at once. Only then do they join the key's window.
// Invariants: what is refused is in no window; what is on disk is in exactly one.
// Cost: a merge and a promise that is there already; one entry a key and commit.
// Source: docs/spool.md.

import type { Bounds } from '../admission/bounds.js'
import { changeOf, encodeSpooled } from '../spool/spooled.js'
import type { SpoolLog } from '../spool/spool-log.js'
import type { RecordShape } from '../merge/record-shape.js'
import type { Window } from './window.js'

/** Changes to one key that wait for a commit. */
interface Gathering {
  readonly window: Window
  readonly accepted: Promise<void>
}

/** What a journal needs. */
export interface JournalParts {
  readonly log: SpoolLog
  readonly shape: RecordShape
  readonly prefix: string
  readonly bounds: Bounds
  /** The window's changes are on disk. */
  readonly onKept: (name: string, window: Window) => void
}

/** Buffered changes of one record on their way to the disk. */
export class Journal {
  readonly #parts: JournalParts
  readonly #gatherings = new Map<string, Gathering>()
  readonly #accepting = new Set<Promise<void>>()

  constructor(parts: JournalParts) {
    this.#parts = parts
  }

  /** What still takes changes to a key; undefined when a new window is needed. */
  gathering(name: string): Gathering | undefined {
    return this.#gatherings.get(name)
  }

  /** Has a window kept, which may grow until its commit begins. Resolves when it is on disk; rejects with `SpoolError` or `LIMIT_REACHED` when it is not. */
  add(name: string, window: Window): Promise<void> {
    const { log, bounds } = this.#parts
    bounds.enter(name.length)
    bounds.take(window.bytes)
    const accepted = this.#keep(log, name, window).finally(() => {
      this.#accepting.delete(accepted)
      bounds.leave(name.length)
    })
    this.#gatherings.set(name, { window, accepted })
    this.#accepting.add(accepted)
    return accepted
  }

  /** Resolves when nothing waits for a commit. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#accepting)
  }

  async #keep(log: SpoolLog, name: string, window: Window): Promise<void> {
    const { shape, prefix, bounds, onKept } = this.#parts
    try {
      const ticket = await log.append(() => {
        if (this.#gatherings.get(name)?.window === window) this.#gatherings.delete(name)
        const change = changeOf(shape, prefix, name, window.states, window.changeCount)
        return encodeSpooled({ change, sending: undefined })
      })
      window.tickets = [ticket]
    } finally {
      bounds.release(window.bytes)
    }
    window.bufferedCount = window.changeCount
    onKept(name, window)
  }
}
