import { InvalidArgumentError, type Backend, type ShardRef } from '@spillway/core'

/** Takes back what a hook has done. */
export type Ending = () => Promise<void> | void

/** How the kit gets a backend, and what it may do to its store. Every rule opens a backend of its own. */
export interface Harness {
  /** A backend that was not opened yet, with an empty directory, and with nothing under keys that begin with `keyPrefix`. */
  open(): Promise<Backend> | Backend
  /** Takes down what `open` set up. */
  close?(backend: Backend): Promise<void> | void
  /** What every key begins with: for stores that are not emptied between runs. @default '' */
  readonly keyPrefix?: string
  /** How long one rule may take, in milliseconds; a request that never settles breaks it then. @default 30_000 */
  readonly timeoutMs?: number
  /** Rules that the backend is known to break: id → reason. They are tried all the same, and fail once they hold. @default none */
  readonly waivers?: Readonly<Record<string, string>>

  /** Makes the store unreachable until the returned function is called. */
  outage?(backend: Backend): Promise<Ending> | Ending
  /**
   * Makes this one shard unreadable, at least in reads of several, until the returned function is called; others stay as they
   * are. Whatever the store has for it: foreign data in the shard's place, or a batch that always comes back without it.
   */
  failShard?(backend: Backend, shard: ShardRef): Promise<Ending> | Ending
  /**
   * Makes the store refuse so many of the requests that come next for lack of capacity, as the store itself does it; `Infinity`
   * for all of them. Whatever is left of it ends with the returned function.
   */
  throttle?(backend: Backend, requestCount: number): Promise<Ending> | Ending
  /**
   * Lets the store answer the next `answeredCount` requests and loses the answers of `lostCount` after them, which it does all the
   * same; `Infinity` for all of them. Whatever is left of it ends with the returned function.
   */
  loseAnswers?(backend: Backend, answeredCount: number, lostCount: number): Promise<Ending> | Ending
  /**
   * Has the store take away what may go by its own expiry within so many milliseconds from now, and nothing else: by a clock that
   * is set forward, or by hand. For stores that expire places.
   */
  expire?(backend: Backend, withinMs: number): Promise<void> | void
  /** How many requests the store has been sent so far, those that a client repeated by itself counted again. */
  requestCount?(backend: Backend): number
}

/** What a harness can do to a store. */
export const hooks = ['outage', 'failShard', 'throttle', 'loseAnswers', 'expire', 'requestCount'] as const

const known = new Set<string>(['open', 'close', 'keyPrefix', 'timeoutMs', 'waivers', ...hooks])

/** How long one rule may take. */
export function timeoutMsOf({ timeoutMs = 30_000 }: Harness): number {
  return timeoutMs
}

/** Checks a harness: a misspelt hook would leave rules out, a waiver of no rule would wait for ever. Throws `InvalidArgumentError`. */
export function checkHarness(harness: Harness, ruleIds: ReadonlySet<string>): void {
  const given = harness as unknown as Readonly<Record<string, unknown>> | null
  if (typeof given !== 'object' || given === null || typeof given['open'] !== 'function')
    throw new InvalidArgumentError('harness', 'an object with open()', given)
  for (const name of Object.keys(given))
    if (!known.has(name)) throw new InvalidArgumentError('harness', `made of ${[...known].join(', ')}`, name)
  for (const name of ['close', ...hooks])
    if (given[name] !== undefined && typeof given[name] !== 'function')
      throw new InvalidArgumentError(`harness.${name}`, 'a function', given[name])
  const { keyPrefix, timeoutMs } = harness
  if (keyPrefix !== undefined && typeof keyPrefix !== 'string')
    throw new InvalidArgumentError('harness.keyPrefix', 'a text', keyPrefix)
  if (timeoutMs !== undefined && !(Number.isSafeInteger(timeoutMs) && timeoutMs >= 1))
    throw new InvalidArgumentError('harness.timeoutMs', 'a positive whole number of milliseconds', timeoutMs)
  for (const [id, reason] of Object.entries(harness.waivers ?? {})) {
    if (!ruleIds.has(id))
      throw new InvalidArgumentError('harness.waivers', 'made of ids of rules', id, 'The report lists them.')
    if (typeof reason !== 'string' || reason.trim() === '')
      throw new InvalidArgumentError(`harness.waivers['${id}']`, 'the reason why the rule is not kept', reason)
  }
}
