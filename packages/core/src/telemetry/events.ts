// Problem: what is hot, throttled, spread or lost must be seen, and must cost nothing where nobody looks.
// Scheme: typed events to listeners of the client, and the same objects on `node:diagnostics_channel` under `spillway:<name>`.
// Invariants: an event is built, and a duration measured, only after `hasListeners`; a listener that throws harms no operation.
// Cost: two property reads an event that nobody listens to.
// Source: nodejs.org/api/diagnostics_channel.html

import { channel, type Channel } from 'node:diagnostics_channel'

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
  /** Buffered changes, which nobody waits for, could not be written. */
  'write-lost': { readonly record: string; readonly key: string; readonly changeCount: number; readonly error: unknown }
}

/** The name of an event. */
export type EventName = keyof ClientEvents

type Listener<N extends EventName> = (event: ClientEvents[N]) => void

/** Delivers events. One for each client. */
export class Events {
  readonly #listeners = new Map<EventName, Set<Listener<never>>>()
  readonly #channels = new Map<EventName, Channel>()

  /** Calls `listener` at each event of this name; gives back what ends it. */
  on<N extends EventName>(name: N, listener: Listener<N>): () => void {
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners.add(listener))
    return () => {
      listeners.delete(listener)
    }
  }

  /** Whether anybody would notice an event of this name. */
  hasListeners(name: EventName): boolean {
    return (this.#listeners.get(name)?.size ?? 0) > 0 || this.#channel(name).hasSubscribers
  }

  /** Delivers an event. Ask `hasListeners` before anything is built or measured for it. */
  emit<N extends EventName>(name: N, event: ClientEvents[N]): void {
    for (const listener of this.#listeners.get(name) ?? []) {
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

  #channel(name: EventName): Channel {
    const known = this.#channels.get(name)
    if (known !== undefined) return known
    const made = channel(`spillway:${name}`)
    this.#channels.set(name, made)
    return made
  }
}
