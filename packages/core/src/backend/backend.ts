// Problem: every store has its own calls, limits and errors, and a lost or doubled write hides in the smallest difference.
// Scheme: the core owns this port. An adapter makes only the naive calls and declares its limits as data; retries, routes,
//   windows, batches over keys and time-outs are the core's.
// Invariants: a change of one shard is atomic; a strong read of shards or directory sees the latest acknowledged state; a
//   failure is never answered as a miss; the same request twice has the effect of one (rule dedupe).
// Cost: one request to the store for each write; one for each read of up to `shardsPerReadMax` shards.
// Source: docs/routing.md, rules dedupe, seal, absorb and generation.

import type { Magnitudes } from '../merge/magnitudes.js'
import type { Field } from '../merge/merge-rule.js'
import type { ShardRef } from '../operation.js'
import type { ThrottleDetail } from './backend-error.js'
import type { CollectionStore } from './collection-store.js'
import type { Call, RouteStamp, ShardFailure } from './request.js'

export type { Call, RouteStamp, ShardFailure } from './request.js'

/** What third parties implement: a store that can hold records for Spillway. */
export interface Backend {
  /** Names the backend in events and messages. */
  readonly name: string
  /** What the store can do, and its limits. */
  readonly capabilities: Capabilities
  /** Where routes are kept. */
  readonly directory: DirectoryStore
  /** Where records are kept. */
  readonly records: RecordStore
  /** Where items are kept, if the store can keep them in an order. @default none */
  readonly collections?: CollectionStore | undefined
  /** Called once, before anything else. */
  open?(call: Call): Promise<void>
  /** Called once, after everything else. What the user made, such as a client, is not closed. */
  close?(): Promise<void>
}

/** A store's limits, as data. The core refuses what goes beyond them before anything is sent. */
export interface Capabilities {
  /** The longest key in bytes of UTF-8 that still leaves room for a shard's suffix. */
  readonly keyBytesMax: number
  /** The most bytes that the fields of one write may take. */
  readonly changeBytesMax: number
  /** How many shards one `read` takes; 1 when the store knows no batches. */
  readonly shardsPerReadMax: number
  /** The greatest absolute value of an integer that is stored and added exactly. */
  readonly integerMax: bigint
  /**
   * The sizes of other numbers that it stores: changes of `max`, `min` and float sums beyond them are refused, and so are changes
   * that would take the float sum of their window there. @default those of doubles
   */
  readonly magnitudes?: Magnitudes | undefined
  /**
   * The most `max`, `min` and `latest` fields that one write changes, for stores that need a condition for each and have room for
   * so many. A record may not have more of them, since a window may bring them all. @default no limit
   */
  readonly conditionalFieldsMax?: number | undefined
  /** Keys that contain this are Spillway's own. */
  readonly reservedMark: string
  /** What one partition serves a second, and so what one key does. */
  readonly partition: { readonly writeUnitsPerSecond: number; readonly readUnitsPerSecond: number }
}

/** A small document, read strongly and swapped atomically. */
export interface DirectoryStore {
  /** The latest acknowledged document and its version; both undefined when there is none yet. */
  read(call: Call): Promise<DirectoryDocument>
  /** Writes `text` if the version is still `expected`; answers with the new version, or undefined when it was not. */
  swap(expected: string | undefined, text: string, call: Call): Promise<string | undefined>
  /**
   * Another place for the same document, `index` from 1 to 15; the same one for the same index. For fleets that read it more
   * often than one place serves (`routing.directoryCopies`). @default the store keeps one place only
   */
  copy?(index: number): DirectoryStore
}

/** The directory as it is stored. */
export interface DirectoryDocument {
  /** The document; undefined when there is none. */
  readonly text: string | undefined
  /** Whatever `swap` compares. */
  readonly version: string | undefined
}

/** Records: mergeable fields in shards. */
export interface RecordStore {
  /** Merges a change into one shard atomically, under the rules dedupe and seal. */
  write(write: ShardWrite, call: Call): Promise<WriteAnswer>
  /** Reads shards; one answer for each, in the order asked. Rejects only when no shard could be read at all. */
  read(read: ShardsRead, call: Call): Promise<readonly ShardAnswer[]>
  /** Makes a shard refuse every further write (also one that was never written) and answers with its frozen contents. */
  seal(shard: ShardRef, fields: readonly Field[], call: Call): Promise<ShardContents>
  /** Merges frozen contents into `target` and records it there in the same atomic step; does nothing if it is recorded already, or a later generation. */
  absorb(absorb: Absorb, call: Call): Promise<void>
  /**
   * Empties a sealed shard whose contents stand elsewhere, and lets the store's own expiry take its place away no sooner than
   * `retentionMs` from now; until then the seal, and who wrote last, stay. Twice is as good as once. Answers `stays` where the
   * store knows no expiry. Rejects with kind `rejected`, and changes nothing, when the shard is not sealed.
   */
  clear(shard: ShardRef, retentionMs: number, call: Call): Promise<'expires' | 'stays'>
  /**
   * Keeps a route with shard 0 unless a stamp of the same or a later revision is there; reads bring it back, of a record and of
   * a collection. Only for stores that may forget what they acknowledged, as Redis does in a failover: a lost change of the
   * directory is restored from it.
   */
  stampRoute?(shard: ShardRef, stamp: RouteStamp, call: Call): Promise<void>
  /**
   * Asked with shard 0 before a key that stands in it alone is spread. Rejects with kind `invalid`, and a message that says what
   * to do, where the store would refuse `stampRoute` for as long as the key is as it is: what is announced and cannot be stamped
   * can neither go on nor back. Changes nothing. @default every key may be spread
   */
  checkSpread?(shard: ShardRef, call: Call): Promise<void>
}

/** One field's merged change. */
export interface FieldChange extends Field {
  /** A state of the field's rule. */
  readonly state: unknown
}

/** Names a write for the dedupe rule. */
export interface WriteStamp {
  /** Who writes: at most 12 bytes of ASCII, never used by another process or another record. */
  readonly writer: string
  /** Grows from write to write of one writer. Its age shows: see {@link sequenceAt}. */
  readonly sequence: number
  /** Entries of writers up to this number are past the retry horizon and may be forgotten. */
  readonly forgetUpTo: number
}

/** A write to one shard. */
export interface ShardWrite {
  /** Where to. */
  readonly shard: ShardRef
  /** What; never empty. */
  readonly changes: readonly FieldChange[]
  /** Who and which; undefined when every changed field is idempotent, or the record was declared without dedupe. */
  readonly stamp: WriteStamp | undefined
  /**
   * The whole place may go by the store's own expiry, no sooner than so many milliseconds from this write; of several writes the
   * last one that says so decides, and one that does not say so changes nothing about it. A store that knows no expiry keeps it.
   * @default never
   */
  readonly expiresInMs?: number | undefined
}

/** What became of a write that was answered. */
export interface WriteAnswer {
  /**
   * - `done`: the change is in, by this attempt or an earlier one.
   * - `sealed`: the shard is frozen and the change is not in it.
   * - `expired`: the number is older than what the shard has forgotten; not applied by this attempt.
   */
  readonly status: 'done' | 'sealed' | 'expired'
  /** Required with `expired`: the number that a first attempt must exceed, a safe integer. */
  readonly forgottenUpTo?: number | undefined
  /** Capacity units consumed, where the store tells. */
  readonly units?: number | undefined
  /** Attempts of this request that the store throttled and that the client repeated by itself. @default none */
  readonly throttles?: readonly ThrottleDetail[] | undefined
}

/** A read of shards of one key. */
export interface ShardsRead {
  /** Which; at least one, at most `shardsPerReadMax`. */
  readonly shards: readonly ShardRef[]
  /** Which fields. */
  readonly fields: readonly Field[]
  /** `strong` sees every acknowledged write; `eventual` may be cheaper. */
  readonly consistency: 'strong' | 'eventual'
}

/** What a read says of one shard. */
export type ShardAnswer = ShardContents | ShardFailure

/** A shard that was read; one that was never written has only undefined states. */
export interface ShardContents {
  readonly status: 'read'
  /** States in the order of the fields asked for; undefined where nothing was written. */
  readonly states: readonly unknown[]
  /** Which shards' contents this shard has taken in. Undefined stands for none. */
  readonly absorbed?: readonly AbsorbedShard[] | undefined
  /**
   * Answered by `seal` alone: names of fields that stand in the shard and were not asked for. Whoever is told of any must not
   * absorb the shard, or they would be lost. Undefined stands for none.
   */
  readonly otherFields?: readonly string[] | undefined
  /** The stamp that `stampRoute` left; undefined stands for none. */
  readonly route?: RouteStamp | undefined
  /** Capacity units consumed, where the store tells. */
  readonly units?: number | undefined
  /** Attempts of this request that the store throttled and that the client repeated by itself. @default none */
  readonly throttles?: readonly ThrottleDetail[] | undefined
}

/** A shard whose contents stand in another one. */
export interface AbsorbedShard {
  /** Its index. */
  readonly index: number
  /** Its highest generation that was taken in. */
  readonly generation: number
}

/** The merging of a sealed shard into a lower one. */
export interface Absorb {
  /** Where the contents go. */
  readonly target: ShardRef
  /** Where they come from. */
  readonly source: ShardRef
  /** What `seal` answered, with the fields that it was asked for. */
  readonly contents: ShardContents
  /** The fields that the states belong to. */
  readonly fields: readonly Field[]
}

/** Sequence numbers of one millisecond: so many writes a writer can make in it without running ahead of the time. */
const sequencesPerMs = 1024

/** The first sequence number of a millisecond since the Unix epoch. Stays a safe integer until the year 2248. */
export function sequenceAt(wallMs: number): number {
  return Math.max(0, Math.floor(wallMs)) * sequencesPerMs
}
