import type { Edit } from './edit-log.js'

/** An edit under its sort value. */
export interface FeedEntry {
  /** Where it stands in its channel. */
  readonly sort: string
  /** The edit. */
  readonly item: Edit
}

/** What is used of a collection of edits by channel; the kit knows no other package. */
export interface EditFeed {
  /** As `Collection.put`. */
  put(channel: string, sort: string, edit: Edit): Promise<void>
  /** As `Collection.putMany`. */
  putMany(
    channel: string,
    entries: readonly FeedEntry[],
    options: { readonly appendOnly: boolean },
  ): Promise<readonly ({ readonly status: 'written' } | { readonly status: 'failed'; readonly error: unknown })[]>
  /** As `Collection.page`. */
  page(
    channel: string,
    options: { readonly order: 'descending'; readonly limit: number; readonly cursor?: string },
  ): Promise<{ readonly items: readonly FeedEntry[]; readonly cursor: string | undefined }>
  /** As `Collection.iterate`. */
  iterate(channel: string): AsyncIterable<FeedEntry>
}
