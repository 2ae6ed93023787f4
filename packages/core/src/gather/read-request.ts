import type { ShardAnswer } from '../backend/backend.js'
import { BackendError } from '../backend/backend-error.js'
import { LazyCall } from '../backend/call.js'
import type { DeadlineList, Expiring } from '../internal/deadline-list.js'

/** One read request with its time-out. Its answer, or the lack of one, comes once. */
export class ReadRequest implements Expiring {
  deadlineMs = 0
  before: Expiring | undefined
  after: Expiring | undefined
  readonly call = new LazyCall()
  readonly #deadlines: DeadlineList
  readonly #onAnswer: (answers: readonly ShardAnswer[] | undefined, error: unknown) => void
  #isOver = false

  constructor(
    deadlines: DeadlineList,
    onAnswer: (answers: readonly ShardAnswer[] | undefined, error: unknown) => void,
  ) {
    this.#deadlines = deadlines
    this.#onAnswer = onAnswer
  }

  /** Waits for `answers`, but not longer than until `deadlineMs`. */
  await(answers: Promise<readonly ShardAnswer[]>, deadlineMs: number): void {
    this.#deadlines.add(this, deadlineMs)
    answers.then(
      (value) => this.#end(value, undefined),
      (error: unknown) => this.#end(undefined, error),
    )
  }

  expire(): void {
    this.#isOver = true
    this.call.abort()
    this.#onAnswer(undefined, new BackendError('unavailable', 'No answer came in time.'))
  }

  #end(answers: readonly ShardAnswer[] | undefined, error: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#deadlines.remove(this)
    this.#onAnswer(answers, error)
  }
}
