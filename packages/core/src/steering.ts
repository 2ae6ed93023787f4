// What decides about routes, wired: this process's view of the directory, the steps that it takes, what the fleet's heat calls
// for, and what this process wishes.

import type { GuardedBackend } from './backend/guarded-backend.js'
import { Fleet } from './fleet/fleet.js'
import { type ResolvedOptions, tombstoneMs } from './resolved-options.js'
import { Coordinator } from './routing/coordinator.js'
import type { ItemHash } from './routing/item-hash.js'
import type { ContentsOf } from './routing/key-contents.js'
import { Routing } from './routing/routing.js'
import { Spreading } from './routing/spreading.js'
import { writerId } from './routing/writer-id.js'
import type { Events } from './telemetry/events.js'

/** What steering is built from. */
export interface SteeringParts {
  readonly options: ResolvedOptions
  readonly backend: GuardedBackend
  readonly events: Events
  readonly contentsOf: ContentsOf
  readonly itemHash: () => ItemHash | undefined
}

/** Those who decide about routes. */
export interface Steering {
  readonly routing: Routing
  readonly coordinator: Coordinator
  readonly fleet: Fleet
  readonly spreading: Spreading
}

/** Builds them for one client. */
export function steering({ options, backend, events, contentsOf, itemHash }: SteeringParts): Steering {
  const { clock, random, limits, sharding } = options
  const { requestTimeoutMs } = limits
  const { leaseMs } = options.routing
  const store = backend.records
  const routing = new Routing({ backend, clock, random, events, options: options.routing, requestTimeoutMs })
  const coordinator = new Coordinator({
    store,
    backend,
    routing,
    clock,
    random,
    events,
    requestTimeoutMs,
    tombstoneMs: tombstoneMs(options),
    contentsOf,
    itemHash,
    ...options.routing,
  })
  const fleet = new Fleet({
    store,
    capabilities: backend.capabilities,
    routing,
    clock,
    random,
    id: writerId(random),
    leaseMs,
    requestTimeoutMs,
    options: sharding,
    onError: (error) => {
      if (events.hasListeners('fleet-failed')) events.emit('fleet-failed', { error })
    },
  })
  const { writeUnitsPerSecond } = backend.capabilities.partition
  const spreading = new Spreading({
    routing,
    coordinator,
    fleet,
    clock,
    random,
    options: sharding,
    leaseMs,
    writeUnitsPerSecondMax: writeUnitsPerSecond,
  })
  return { routing, coordinator, fleet, spreading }
}
