/** What is used of a record with the fields `count: sum()`, `ids: union()`, `peak: max()`, `last: latest()`; the kit knows no other package. */
export interface ChaosRecords {
  /** As `Records.write`. */
  write(key: string, change: RecordChange): Promise<void>
  /** As `Records.read`. */
  read(key: string): Promise<RecordValue>
}

/** One operation's change: it counts one, and names itself. */
export interface RecordChange {
  readonly count: number
  readonly ids: readonly string[]
  readonly peak: number
  readonly last: string
}

/** What a record holds. */
export interface RecordValue {
  readonly count: number
  readonly ids: ReadonlySet<string>
  readonly peak: number | undefined
  readonly last: string | undefined
}

/** An item says which operation put it. */
export interface ChaosItem {
  readonly id: string
}

/** An item under its sort value. */
export interface ChaosEntry {
  readonly sort: string
  readonly item: ChaosItem
}

/** What is used of a collection. */
export interface ChaosItems {
  /** As `Collection.put`. */
  put(key: string, sort: string, item: ChaosItem): Promise<void>
  /** As `Collection.putMany`. */
  putMany(
    key: string,
    entries: readonly ChaosEntry[],
    options: { readonly appendOnly: boolean },
  ): Promise<readonly ({ readonly status: 'written' } | { readonly status: 'failed'; readonly error: unknown })[]>
  /** As `Collection.delete`. */
  delete(key: string, sort: string): Promise<void>
  /** As `Collection.get`. */
  get(key: string, sort: string): Promise<ChaosItem | undefined>
  /** As `Collection.page`. */
  page(
    key: string,
    options: { readonly order: 'descending'; readonly limit: number; readonly cursor?: string },
  ): Promise<{ readonly items: readonly ChaosEntry[]; readonly cursor: string | undefined }>
  /** As `Collection.iterate`. */
  iterate(key: string, options?: { readonly prefix: string }): AsyncIterable<ChaosEntry>
}

/** The directory of an adapter's backend. */
export interface ChaosDirectory {
  /** As `DirectoryStore.read`. */
  read(call: {
    readonly signal: AbortSignal
  }): Promise<{ readonly text: string | undefined; readonly version: string | undefined }>
  /** As `DirectoryStore.swap`. */
  swap(expected: string | undefined, text: string, call: { readonly signal: AbortSignal }): Promise<string | undefined>
}

/** A process's client, opened by the adapter's own script. */
export interface ChaosClient {
  readonly records: ChaosRecords
  readonly items: ChaosItems
  readonly directory: ChaosDirectory
}
