import type { CollectionStore, ItemDeletion, ItemPut, ItemRead, ShardPage, ShardRef } from '../../src/index.js'

/** A request for items, as a test sees it. */
export interface ItemRequest {
  readonly operation: 'put' | 'delete' | 'get' | 'page' | 'append'
  /** Where it goes. */
  readonly shards: readonly ShardRef[]
  /** Of a page, how many items it asks for. */
  readonly limit: number | undefined
}

/** A request that waits for the test to decide its fate. */
export interface HeldItemRequest extends ItemRequest {
  readonly signal: AbortSignal
  /** Lets it take effect; its answer stays behind. May be called again: the network delivers twice. */
  deliver(): Promise<void>
  /** Gives the answer of the first delivery to the client. */
  answer(): void
  /** Both. */
  pass(): Promise<void>
  /** Fails it: nothing more is done. */
  fail(error: unknown): void
}

/** Collections that count every request to those inside, and hold back the ones that a test asks them to. */
export class HeldItems implements CollectionStore {
  readonly limits: CollectionStore['limits']
  /** Which requests are held. */
  holds: (request: ItemRequest) => boolean = () => false
  /** Every request so far. */
  readonly requests: ItemRequest[] = []
  /** Those that are held now, oldest first. */
  readonly held: HeldItemRequest[] = []
  readonly #inner: CollectionStore
  readonly append?: NonNullable<CollectionStore['append']>

  constructor(inner: CollectionStore) {
    this.#inner = inner
    this.limits = inner.limits
    const append = inner.append?.bind(inner)
    if (append !== undefined)
      this.append = (request, call) =>
        this.#send(
          'append',
          request.items.map(({ shard }) => shard),
          undefined,
          call.signal,
          () => append(request, call),
        )
  }

  put(put: ItemPut, call: Parameters<CollectionStore['put']>[1]) {
    return this.#send('put', [put.shard], undefined, call.signal, () => this.#inner.put(put, call))
  }

  delete(deletion: ItemDeletion, call: Parameters<CollectionStore['put']>[1]) {
    return this.#send('delete', [deletion.shard], undefined, call.signal, () => this.#inner.delete(deletion, call))
  }

  get(read: ItemRead, call: Parameters<CollectionStore['put']>[1]) {
    return this.#send('get', read.shards, undefined, call.signal, () => this.#inner.get(read, call))
  }

  page(page: ShardPage, call: Parameters<CollectionStore['put']>[1]) {
    return this.#send('page', [page.shard], page.limit, call.signal, () => this.#inner.page(page, call))
  }

  #send<T>(
    operation: ItemRequest['operation'],
    shards: readonly ShardRef[],
    limit: number | undefined,
    signal: AbortSignal,
    send: () => Promise<T>,
  ): Promise<T> {
    const seen: ItemRequest = { operation, shards, limit }
    this.requests.push(seen)
    if (!this.holds(seen)) return send()
    return new Promise((resolve, reject) => {
      let first: Promise<T> | undefined
      const leave = () => this.held.splice(this.held.indexOf(request), 1)
      const deliver = async () => {
        const answer = send()
        first ??= answer
        await answer.catch(() => undefined)
      }
      const answer = () => {
        leave()
        first?.then(resolve, reject)
      }
      const fail = (error: unknown) => {
        leave()
        reject(error)
      }
      const pass = async () => {
        await deliver()
        answer()
      }
      const request: HeldItemRequest = { ...seen, signal, deliver, answer, pass, fail }
      this.held.push(request)
    })
  }
}
