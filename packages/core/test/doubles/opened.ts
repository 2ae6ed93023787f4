import {
  type Backend,
  BackendError,
  type Client,
  type ClientOptions,
  createClient,
  memory,
  type MemoryOptions,
} from '../../src/index.js'
import { FakeClock, seededRandom } from '../../src/testing.js'
import { ScriptedBackend } from './scripted-backend.js'

/** A client with the clock and the backend that a test drives it by. */
export interface Opened {
  readonly client: Client
  readonly clock: FakeClock
  readonly backend: ScriptedBackend
}

export type OpenOptions = Omit<ClientOptions, 'backend' | 'clock' | 'random'> & {
  readonly store?: Backend
  readonly memory?: MemoryOptions
  readonly seed?: number
  readonly clock?: FakeClock
}

/** Opens a client on a store of its own, or on `store` when several share one. */
export async function opened(options: OpenOptions = {}): Promise<Opened> {
  const { store, memory: memoryOptions, seed = 1, clock = new FakeClock(), ...rest } = options
  const backend = new ScriptedBackend(store ?? memory(memoryOptions))
  const client = await createClient({ ...rest, backend, clock, random: seededRandom(seed) })
  return { client, clock, backend }
}

/** Every key that is written at all is hot from the next tick on, and stays so. */
export const hotAtOnce = { hotWritesPerSecond: 0.001, coolMs: 86_400_000 } as const

/** What became of a promise so far: looked at after `clock.advance(0)`. */
export interface Watched {
  state: 'open' | 'resolved' | 'rejected'
  value: unknown
  error: { readonly code?: string; readonly message?: string } | undefined
}

/** Follows a promise without waiting for it. */
export function watch(promise: Promise<unknown>): Watched {
  const watched: Watched = { state: 'open', value: undefined, error: undefined }
  promise.then(
    (value) => Object.assign(watched, { state: 'resolved', value }),
    (error: unknown) => Object.assign(watched, { state: 'rejected', error }),
  )
  return watched
}

/** Follows many. */
export function watchAll(promises: readonly Promise<unknown>[]): Watched[] {
  return promises.map(watch)
}

/** The code that a promise rejects with, or `resolved`. */
export function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'resolved',
    (error: unknown) => (error as { readonly code?: string }).code ?? String(error),
  )
}

export const refused = new BackendError('rejected', 'The store refused it.')
export const lost = new BackendError('unknown', 'No answer.')
export const throttled = new BackendError('throttled', 'Too much.', {
  throttle: { reason: 'TableWriteKeyRangeThroughputExceeded', scope: 'key-range' },
})
