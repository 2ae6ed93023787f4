import {
  memory,
  type AnyRule,
  type Backend,
  type Call,
  type CollectionStore,
  type DirectoryStore,
  type FieldChange,
  type ItemPut,
  type RecordStore,
  type ShardRef,
  type ShardWrite,
  type SortValue,
  type StoredItem,
} from '@spillway/core'

import type { Harness } from '@spillway/conformance'
import { FakeClock } from '@spillway/core/testing'

/** A backend with one flaw, and the rules that it breaks. */
export interface Mutant {
  /** The rule that it exists for. */
  readonly breaks: string
  /** Other rules that the same flaw breaks. */
  readonly also?: readonly string[]
  /** What is wrong with it. */
  readonly flaw: string
  readonly harness: Harness
}

/** A mutant of `memory()`, made anew for every rule. */
export function mutant(
  breaks: string,
  flaw: string,
  spoil: (backend: Backend) => Backend,
  also: readonly string[] = [],
): Mutant {
  return { breaks, also, flaw, harness: { open: () => spoil(memory()) } }
}

/** A harness on a mutant of `memory()` whose time can be set forward. */
export function expiring(spoil: (backend: Backend) => Backend = (backend) => backend): Harness {
  let clock = new FakeClock()
  return {
    open() {
      clock = new FakeClock()
      return spoil(memory({ clock }))
    },
    expire: (_, withinMs) => clock.advance(withinMs),
  }
}

/** Replaces some requests of the records. */
export function withRecords(spoil: (records: RecordStore) => Partial<RecordStore>): (backend: Backend) => Backend {
  return (backend) => {
    const records = bound(backend.records)
    return { ...backend, records: { ...records, ...spoil(records) } }
  }
}

/** Replaces some requests of the collections. */
export function withCollections(
  spoil: (collections: Required<CollectionStore>) => Partial<CollectionStore>,
): (backend: Backend) => Backend {
  return (backend) => {
    if (backend.collections === undefined) throw new Error('expected a backend with collections')
    const collections = boundItems(backend.collections)
    return { ...backend, collections: { ...collections, ...spoil(collections) } }
  }
}

/** Changes every put on its way. */
export function withPuts(change: (put: ItemPut) => ItemPut): (backend: Backend) => Backend {
  return withCollections((collections) => ({ put: (put, call) => collections.put(change(put), call) }))
}

/** Changes every item that is read. */
export function withItems(change: (item: StoredItem, shard: ShardRef) => StoredItem): (backend: Backend) => Backend {
  return withCollections((collections) => ({
    async get(read, call) {
      const answers = await collections.get(read, call)
      return answers.map((answer, i) =>
        answer.status === 'failed' || answer.item === undefined
          ? answer
          : { ...answer, item: change(answer.item, read.shards[i] as ShardRef) },
      )
    },
    async page(page, call) {
      const answer = await collections.page(page, call)
      return { ...answer, items: answer.items.map((item) => change(item, page.shard)) }
    },
  }))
}

/** What stands at a sort value of one shard. */
export async function itemAt(
  collections: CollectionStore,
  { shard, sort }: { readonly shard: ShardRef; readonly sort: SortValue },
  call: Call,
): Promise<StoredItem | undefined> {
  const [answer] = await collections.get({ shards: [shard], sort, consistency: 'strong' }, call)
  return answer?.status === 'read' ? answer.item : undefined
}

/** Replaces some requests of the directory. */
export function withDirectory(
  spoil: (directory: DirectoryStore) => Partial<DirectoryStore>,
): (backend: Backend) => Backend {
  return (backend) => {
    const inner = backend.directory
    const directory: DirectoryStore = {
      read: (call) => inner.read(call),
      swap: (expected, text, call) => inner.swap(expected, text, call),
    }
    return { ...backend, directory: { ...directory, ...spoil(directory) } }
  }
}

/** Changes every write on its way. */
export function withWrites(change: (write: ShardWrite) => ShardWrite): (backend: Backend) => Backend {
  return withRecords((records) => ({ write: (write, call) => records.write(change(write), call) }))
}

/** Changes every changed field on its way, absorbed ones left alone. */
export function withChanges(change: (change: FieldChange) => FieldChange): (backend: Backend) => Backend {
  return withWrites((write) => ({ ...write, changes: write.changes.map(change) }))
}

/** Merges the fields of one rule in another way. */
export function withMerge(
  ruleId: string,
  merge: (a: never, b: never, rule: AnyRule) => unknown,
): (backend: Backend) => Backend {
  return withChanges((change) => {
    const { rule } = change
    if (rule.id !== ruleId) return change
    return { ...change, rule: { ...rule, merge: (a, b) => merge(a as never, b as never, rule) } }
  })
}

/** Puts every shard somewhere else. */
export function withPlaces(place: (shard: ShardRef) => ShardRef): (backend: Backend) => Backend {
  return withRecords((records) => ({
    write: (write, call) => records.write({ ...write, shard: place(write.shard) }, call),
    read: (read, call) => records.read({ ...read, shards: read.shards.map(place) }, call),
    seal: (shard, fields, call) => records.seal(place(shard), fields, call),
    absorb: (absorb, call) => records.absorb({ ...absorb, target: place(absorb.target) }, call),
    clear: (shard, retentionMs, call) => records.clear(place(shard), retentionMs, call),
    stampRoute: async (shard, stamp, call) => records.stampRoute?.(place(shard), stamp, call),
  }))
}

/** Names a place. */
export function nameOf({ key, index, generation }: ShardRef): string {
  return JSON.stringify([key, index, generation.number, generation.nonce])
}

/** The last number of each writer in each place, kept beside the backend. */
export class Ledger {
  readonly #last = new Map<string, number>()

  /** The last number that was noted; undefined when there is none. */
  last({ shard, stamp }: ShardWrite): number | undefined {
    return stamp === undefined ? undefined : this.#last.get(nameOf(shard) + stamp.writer)
  }

  /** Whether this number was noted, or a later one. */
  isIn(write: ShardWrite): boolean {
    return write.stamp !== undefined && write.stamp.sequence <= (this.last(write) ?? -1)
  }

  note({ shard, stamp }: ShardWrite): void {
    if (stamp !== undefined) this.#last.set(nameOf(shard) + stamp.writer, stamp.sequence)
  }
}

/** A write without its number. */
export function unstamped(write: ShardWrite): ShardWrite {
  return { ...write, stamp: undefined }
}

/** Lets what else is ready run first. */
export async function tick(): Promise<void> {
  for (let i = 0; i < 3; i++) await Promise.resolve()
}

function bound(records: RecordStore): RecordStore {
  return {
    write: (write, call) => records.write(write, call),
    read: (read, call) => records.read(read, call),
    seal: (shard, fields, call) => records.seal(shard, fields, call),
    absorb: (absorb, call) => records.absorb(absorb, call),
    clear: (shard, retentionMs, call) => records.clear(shard, retentionMs, call),
    stampRoute: async (shard, stamp, call) => records.stampRoute?.(shard, stamp, call),
  }
}

function boundItems(collections: CollectionStore): Required<CollectionStore> {
  return {
    limits: collections.limits,
    put: (put, call) => collections.put(put, call),
    delete: (deletion, call) => collections.delete(deletion, call),
    get: (read, call) => collections.get(read, call),
    page: (page, call) => collections.page(page, call),
    append: async (append, call) => (await collections.append?.(append, call)) ?? [],
  }
}
