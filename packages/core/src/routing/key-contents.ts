import type { SortType } from '../item/sort-value.js'
import type { Field } from '../merge/merge-rule.js'

/** What this process knows to stand under a key: the fields of records and the items of collections that it has declared. */
export interface KeyContents {
  /** The fields of all records that may have the key; undefined when none has. */
  readonly fields: readonly Field[] | undefined
  /** The types of the sort values of all collections that may have the key; undefined when none has. */
  readonly sortTypes: readonly SortType[] | undefined
}

/** Tells it. Undefined for a key of which this process knows nothing, and whose shards it must leave to others. */
export type ContentsOf = (key: string) => KeyContents | undefined
