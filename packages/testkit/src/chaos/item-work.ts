import type { ChaosEntry, ChaosItem, ChaosItems } from './chaos-client.js'
import type { Ledger } from './ledger.js'

/** An item that this process alone writes, one operation at a time. */
interface OwnItem {
  readonly sort: string
  /** What may stand there by all that this process was told: names of operations that put it, or `none`. */
  readonly possible: Set<string>
  isBusy: boolean
  /** When it was last changed, in operations of this process. */
  changedAt: number
}

const entriesPerCallMax = 8
const pageLimit = 40

/** Puts, deletes and reads of items by one process, which holds each read against what its own writes left. */
export class ItemWork {
  readonly #items: ChaosItems
  readonly #ledger: Ledger
  readonly #draw: () => number
  readonly #own = new Map<string, Map<string, OwnItem>>()
  #operations = 0

  constructor(items: ChaosItems, ledger: Ledger, draw: () => number) {
    this.#items = items
    this.#ledger = ledger
    this.#draw = draw
  }

  /** Puts an item under a new sort value. */
  async put(key: string): Promise<void> {
    const id = this.#ledger.nextId()
    await this.#change(key, this.#added(key, id), id)
  }

  /** Puts some, as a batch. */
  async putMany(key: string): Promise<void> {
    const count = 2 + Math.floor(this.#draw() * (entriesPerCallMax - 1))
    const made = Array.from({ length: count }, () => {
      const id = this.#ledger.nextId()
      return { id, own: this.#added(key, id) }
    })
    for (const { id, own } of made) this.#ledger.note('began', id, 'put', key, own.sort)
    const entries = made.map(({ id, own }) => ({ sort: own.sort, item: { id } }))
    const outcomes = await this.#items
      .putMany(key, entries, { appendOnly: this.#draw() < 0.5 })
      .catch((error: unknown) => made.map(() => ({ status: 'failed' as const, error })))
    for (const [i, { id, own }] of made.entries()) {
      const outcome = outcomes[i]
      if (outcome?.status === 'failed') this.#settle(own, id, this.#ledger.failed(id, outcome.error))
      else {
        this.#ledger.note('acknowledged', id)
        this.#settle(own, id, 'acknowledged')
      }
    }
  }

  /** Puts or deletes an item of its own that is there; a new one where it has none. */
  async revise(key: string): Promise<void> {
    const all = [...(this.#own.get(key)?.values() ?? [])].filter(({ isBusy }) => !isBusy)
    const own = all[Math.floor(this.#draw() * all.length)]
    if (own === undefined) return this.put(key)
    own.isBusy = true
    const id = this.#ledger.nextId()
    if (this.#draw() < 0.5) return this.#change(key, own, id)
    this.#ledger.note('began', id, 'delete', key, own.sort)
    this.#settle(own, 'none', await this.#ledger.outcomeOf(id, this.#items.delete(key, own.sort)))
  }

  /** Gets an item of its own. */
  async get(key: string): Promise<void> {
    const all = [...(this.#own.get(key)?.values() ?? [])].filter(({ isBusy }) => !isBusy)
    const own = all[Math.floor(this.#draw() * all.length)]
    if (own === undefined) return
    const at = this.#operations
    const item = await this.#reading('get', () => this.#items.get(key, own.sort))
    if (item !== failed) this.#compare(`get(${key})`, own, at, item)
  }

  /** Reads the last items. */
  async page(key: string): Promise<void> {
    const at = this.#operations
    const page = await this.#reading('page', () => this.#items.page(key, { order: 'descending', limit: pageLimit }))
    if (page === failed) return
    const last = page.cursor === undefined ? '' : (page.items.at(-1)?.sort ?? '~')
    this.#compareAll(`a page of ${key}`, key, at, page.items.toReversed(), (sort) => sort >= last)
  }

  /** Reads a tenth of all items, in order. */
  async iterate(key: string): Promise<void> {
    const at = this.#operations
    const prefix = String(Math.floor(this.#draw() * 10))
    const entries = await this.#reading('iterate', async () => {
      const found: ChaosEntry[] = []
      for await (const entry of this.#items.iterate(key, { prefix })) found.push(entry)
      return found
    })
    if (entries !== failed)
      this.#compareAll(`an iteration of ${key}`, key, at, entries, (sort) => sort.startsWith(prefix))
  }

  #added(key: string, id: string): OwnItem {
    const position = String(Math.floor(this.#draw() * 1_000)).padStart(3, '0')
    const own = { sort: `${position} ${id}`, possible: new Set(['none']), isBusy: true, changedAt: 0 }
    const items = this.#own.get(key)
    if (items === undefined) this.#own.set(key, new Map([[own.sort, own]]))
    else items.set(own.sort, own)
    return own
  }

  async #change(key: string, own: OwnItem, id: string): Promise<void> {
    this.#ledger.note('began', id, 'put', key, own.sort)
    this.#settle(own, id, await this.#ledger.outcomeOf(id, this.#items.put(key, own.sort, { id })))
  }

  #settle(own: OwnItem, version: string, outcome: 'acknowledged' | 'rejected' | 'unknown'): void {
    if (outcome === 'acknowledged') own.possible.clear()
    if (outcome !== 'rejected') own.possible.add(version)
    own.isBusy = false
    own.changedAt = ++this.#operations
  }

  async #reading<T>(what: string, read: () => Promise<T>): Promise<T | typeof failed> {
    try {
      const answer = await read()
      this.#ledger.note('event', what)
      return answer
    } catch (error) {
      this.#ledger.noteFailure(what, error)
      return failed
    }
  }

  #compareAll(
    what: string,
    key: string,
    at: number,
    entries: readonly ChaosEntry[],
    isInRange: (sort: string) => boolean,
  ): void {
    const bySort = new Map<string, ChaosItem>()
    let before = ''
    for (const { sort, item } of entries) {
      if (sort <= before) this.#ledger.note('wrong', `${what} has ${sort} behind ${before}`)
      before = sort
      bySort.set(sort, item)
    }
    for (const own of this.#own.get(key)?.values() ?? [])
      if (isInRange(own.sort)) this.#compare(what, own, at, bySort.get(own.sort))
  }

  /** What this process has not changed since `at` must be as it knows it. */
  #compare(what: string, own: OwnItem, at: number, item: ChaosItem | undefined): void {
    if (own.isBusy || own.changedAt > at || own.possible.has(item?.id ?? 'none')) return
    this.#ledger.note('wrong', `${what}: ${own.sort} is ${item?.id ?? 'none'}, not ${[...own.possible].join(' or ')}`)
  }
}

const failed = Symbol('a read that failed')
