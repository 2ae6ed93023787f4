import { pause } from '../time/wait.js'
import type { EditFeed } from './edit-feed.js'
import { draftNumber, hottestChannel, type LoggedEdit } from './edit-log.js'
import { differences } from './edit-read-back.js'

// A caller who takes his time: routes change while he is on his way, and those who write have the engine to themselves.
const entriesPerPause = 10
const pauseMs = 25

/** What somebody saw who read the hottest channel again and again. */
export interface Watched {
  /** How often it was read from beginning to end. */
  readonly readCount: number
  /** What was wrong with it. */
  readonly differences: readonly string[]
}

/**
 * Reads the hottest channel again and again. `early` lines must be there each time, once and in order, while more may come; and
 * none must be an older draft than before.
 */
export class EditWatch {
  readonly #reading: Promise<void>
  readonly #differences: string[] = []
  readonly #drafts = new Map<string, number>()
  #readCount = 0
  #isOver = false

  constructor(feed: EditFeed, early: readonly LoggedEdit[]) {
    const sorts = early.flatMap(({ sort, edit }) => (edit.channel === hottestChannel ? [sort] : []))
    this.#reading = this.#run(feed, sorts)
    this.#reading.catch(() => undefined) // `stop` tells
  }

  /** The read that is under way is the last one. */
  end(): void {
    this.#isOver = true
  }

  /** The same; answers once it has ended. */
  async stop(): Promise<Watched> {
    this.end()
    await this.#reading
    return { readCount: this.#readCount, differences: this.#differences }
  }

  async #run(feed: EditFeed, early: readonly string[]): Promise<void> {
    const isEarly = new Set(early)
    while (!this.#isOver) {
      const name = `read ${this.#readCount}`
      const sorts: string[] = []
      for await (const { sort, item } of feed.iterate(hottestChannel)) {
        sorts.push(sort)
        this.#compareDrafts(name, sort, draftNumber(item))
        if (sorts.length % entriesPerPause === 0 && !this.#isOver) await pause(pauseMs)
      }
      const seen = sorts.filter((sort) => isEarly.has(sort))
      const inOrder = [...new Set(sorts)].toSorted()
      this.#differences.push(...differences(`${name}, early lines`, seen, early))
      this.#differences.push(...differences(`${name}, all lines`, sorts, inOrder))
      this.#readCount += 1
    }
  }

  #compareDrafts(name: string, sort: string, draft: number): void {
    const before = this.#drafts.get(sort) ?? 0
    if (draft < before) this.#differences.push(`${name}: ${sort} is draft ${draft}, and was ${before}`)
    this.#drafts.set(sort, draft)
  }
}
