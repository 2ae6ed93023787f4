import type { Call } from '../backend/backend.js'
import { isRefusal } from '../backend/backend-error.js'
import { callWithin } from '../backend/call.js'
import type { CollectionStore, StoredItem } from '../backend/collection-store.js'
import type { Random } from '../chance/random.js'
import { backoffMs } from '../internal/backoff.js'
import type { SortType, SortValue } from '../item/sort-value.js'
import type { ShardRef } from '../operation.js'
import type { Clock } from '../time/clock.js'
import { isSameRoute, type Route } from './route.js'
import type { Routing } from './routing.js'

/** The route has moved on, or the lease is over: what was about to be done is not to be done any more, or not now. */
export class MovedOnError extends Error {
  override readonly name = 'MovedOnError'
}

/** How often a request is made before its job is given up for now. */
const attemptsMax = 4

/** What requests are sent with. */
export interface ShardRequestsParts {
  readonly routing: Routing
  readonly clock: Clock
  readonly random: Random
  readonly requestTimeoutMs: number
}

/** Requests for one revision of a key's route: none is sent, and no answer counts, unless a lease shows that very revision. */
export class ShardRequests {
  readonly #parts: ShardRequestsParts
  readonly #key: string
  readonly #route: Route

  constructor(parts: ShardRequestsParts, key: string, route: Route) {
    this.#parts = parts
    this.#key = key
    this.#route = route
  }

  /** Sends a request that may be sent twice, again where that may help. Rejects with `MovedOnError`, else with what the backend said. */
  async send<T>(request: (call: Call) => Promise<T>): Promise<T> {
    const { clock, random, requestTimeoutMs } = this.#parts
    for (let attempt = 1; ; attempt++) {
      this.#requireCurrent()
      try {
        const answer = await callWithin(clock, requestTimeoutMs, request)
        this.#requireCurrent()
        return answer
      } catch (error) {
        if (error instanceof MovedOnError || attempt === attemptsMax || isRefusal(error)) throw error
        await new Promise<void>((resolve) => clock.setTimer(resolve, backoffMs(attempt, random)))
      }
    }
  }

  #requireCurrent(): void {
    const { routing, clock } = this.#parts
    const route = routing.currentAt(clock.nowMs())?.route(this.#key)
    if (routing.isClosed || route === undefined || !isSameRoute(route, this.#route))
      throw new MovedOnError(
        'The route has changed, the lease is over or the client closes; whoever is there then goes on.',
      )
  }
}

const itemsPerPage = 100

/** Pages through all items and tombstones of a shard. */
export async function* eachItem(
  store: CollectionStore,
  requests: ShardRequests,
  shard: ShardRef,
  sortType: SortType,
): AsyncGenerator<readonly StoredItem[]> {
  const limit = Math.min(itemsPerPage, store.limits.itemsPerPageMax)
  let from: SortValue | undefined
  do {
    const lower = from === undefined ? undefined : { sort: from, isIncluded: false }
    const page = { shard, sortType, lower, upper: undefined, order: 'ascending', limit, consistency: 'strong' } as const
    const { items, next } = await requests.send((call) => store.page(page, call))
    yield items
    from = next
  } while (from !== undefined)
}
