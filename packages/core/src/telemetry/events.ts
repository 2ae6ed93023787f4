// Problem: what is hot, throttled, spread or lost must be seen, and must cost nothing where nobody looks.
// Scheme: typed events to listeners of the client, and the same objects on `node:diagnostics_channel` under `spillway:<name>`.
// Invariants: an event is built, and a duration measured, only after `hasListeners`; a listener that throws fails no operation:
//   what it throws surfaces as an uncaught exception, which ends the process unless something handles it.
// Cost: two property reads an event that nobody listens to.
// Source: nodejs.org/api/diagnostics_channel.html

import { channel, type Channel } from 'node:diagnostics_channel'

import { InvalidArgumentError } from '../errors/misuse-error.js'

/** Every event, by name. */
export interface ClientEvents {
  /** A key's heat rose above the threshold. */
  'key-hot': { readonly key: string; readonly side: 'write' | 'read' }
  /** A key's heat has stayed below the lower threshold for long enough. */
  'key-cooled': { readonly key: string; readonly side: 'write' | 'read' }
  /** This client saw or made a change of a key's route. */
  'route-changed': {
    readonly key: string
    readonly phase: string
    readonly read: number
    readonly write: number
    readonly revision: number
  }
  /** The directory has no room for another route (`routing.directoryBytesMax`); hotter keys came first. */
  'directory-full': { readonly key: string; readonly bytesMax: number }
  /** The directory could not be read or swapped; the lease goes on until it ends. */
  'directory-failed': { readonly error: unknown }
  /**
   * A route cannot move on from this phase: it could not be kept with the key's shard 0, or what its shards hold could not be
   * merged back or cleared. With the phase `cold`: the key is wished to be spread, and the store says that it cannot be, or does
   * not answer. It is tried again.
   */
  'route-stalled': { readonly key: string; readonly phase: string; readonly error: unknown }
  /** What is left of shards that were merged back could not be cleared, for a long time, and stays in the store. */
  'remains-left': { readonly key: string; readonly shardCount: number; readonly error: unknown }
  /** A report of this process's heat, or the reading of the fleet's, failed; the next epoch tries anew. */
  'fleet-failed': { readonly error: unknown }
  /** A window's merged change was written, or given up. */
  flush: {
    readonly record: string
    readonly key: string
    readonly shardIndex: number
    readonly changeCount: number
    readonly attempts: number
    readonly durationMs: number
    readonly outcome: 'written' | 'rejected' | 'unknown'
  }
  /** The shards of a key were read, or the read was given up. */
  gather: {
    readonly record: string
    readonly key: string
    readonly shardCount: number
    readonly missingShards: readonly number[]
    readonly durationMs: number
  }
  /** The store refused a request for lack of capacity. */
  throttle: {
    readonly key: string
    readonly shardIndex: number
    readonly side: 'write' | 'read'
    readonly reason: string
  }
  /**
   * A partition of an index had no capacity left for a write to the table. Spreading the table's key does not cure it: the
   * index's own key must be spread, by the application.
   */
  'index-throttle': {
    readonly key: string
    readonly index: string | undefined
    readonly side: 'write' | 'read'
    readonly reason: string
  }
  /**
   * Changes that an earlier life of the process has buffered cannot be written, since the record is declared otherwise by now.
   * They stay in the spool; `error` says what to do.
   */
  'spool-kept': { readonly record: string; readonly key: string; readonly changeCount: number; readonly error: unknown }
  /** Buffered changes, which nobody waits for, could not be written. */
  'write-lost': { readonly record: string; readonly key: string; readonly changeCount: number; readonly error: unknown }
}

/** The name of an event. */
export type EventName = keyof ClientEvents

const names: ReadonlySet<unknown> = new Set(
  Object.keys({
    'key-hot': true,
    'key-cooled': true,
    'route-changed': true,
    'directory-full': true,
    'directory-failed': true,
    'route-stalled': true,
    'remains-left': true,
    'fleet-failed': true,
    flush: true,
    gather: true,
    throttle: true,
    'index-throttle': true,
    'spool-kept': true,
    'write-lost': true,
  } satisfies Record<EventName, true>),
)

type Listener<N extends EventName> = (event: ClientEvents[N]) => void

/** An object of its own, since one function may be subscribed twice. */
interface Subscription {
  readonly listener: Listener<never>
}

const none: readonly Subscription[] = []

/** Delivers events. One for each client. */
export class Events {
  /** Arrays are replaced, never changed: an event goes to those who listened when it began, at no cost. */
  readonly #subscriptions = new Map<EventName, readonly Subscription[]>()
  readonly #channels = new Map<EventName, Channel>()

  /**
   * Calls `listener` at each event of this name; gives back what ends it. A function given twice is called twice. Who comes or
   * goes during an event does so for the next one. Throws `InvalidArgumentError` for a name that no event has.
   */
  on<N extends EventName>(name: N, listener: Listener<N>): () => void {
    if (!names.has(name)) throw new InvalidArgumentError('name', `one of ${[...names].join(', ')}`, name)
    if (typeof listener !== 'function') throw new InvalidArgumentError('listener', 'a function', listener)
    const subscription: Subscription = { listener }
    this.#subscriptions.set(name, [...this.#subscribed(name), subscription])
    return () => {
      const others = this.#subscribed(name).filter((other) => other !== subscription)
      this.#subscriptions.set(name, others)
    }
  }

  /** Whether anybody would notice an event of this name. */
  hasListeners(name: EventName): boolean {
    return this.#subscribed(name).length > 0 || this.#channel(name).hasSubscribers
  }

  /** Delivers an event. Ask `hasListeners` before anything is built or measured for it. */
  emit<N extends EventName>(name: N, event: ClientEvents[N]): void {
    for (const { listener } of this.#subscribed(name)) {
      try {
        ;(listener as Listener<N>)(event)
      } catch (error) {
        // Surfaces as an uncaught error of the listener's owner, never as a failure of the operation.
        queueMicrotask(() => {
          throw error
        })
      }
    }
    const subscribers = this.#channel(name)
    if (subscribers.hasSubscribers) subscribers.publish(event)
  }

  #subscribed(name: EventName): readonly Subscription[] {
    return this.#subscriptions.get(name) ?? none
  }

  #channel(name: EventName): Channel {
    const known = this.#channels.get(name)
    if (known !== undefined) return known
    const made = channel(`spillway:${name}`)
    this.#channels.set(name, made)
    return made
  }
}
