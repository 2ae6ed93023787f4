export { createClient, type Client, type CloseReport } from './client.js'
export type { Records, RecordOptions } from './records.js'
export type {
  Collection,
  ItemEntry,
  ItemOptions,
  Page,
  PageOptions,
  PutManyOptions,
  RangeOptions,
  SortValues,
} from './collection.js'
export type { CollectionOptions, ItemCodec } from './collection-options.js'
export type { PutOutcome } from './item-write-path.js'
export type { HedgeOptions } from './gather/hedge.js'
export type { WriteOptions } from './collapse/write-options.js'
export type { FlushFailure, FlushReport } from './collapse/failure-log.js'
export type { PartialRead, ReadOptions } from './read-path.js'
export type { HotKey } from './hot-keys.js'
export type { KeyHeat } from './detection/heat.js'
export type {
  ClientOptions,
  CollapseOptions,
  DetectionOptions,
  GatherOptions,
  LimitOptions,
  RoutingOptions,
  ShardingOptions,
  ShardingRule,
} from './options.js'

export { sum, type IntegerState, type SumOptions } from './merge/sum.js'
export { max, min } from './merge/extremum.js'
export type { Magnitudes } from './merge/magnitudes.js'
export { at, latest, type LatestState, type TimedValue } from './merge/latest.js'
export { union } from './merge/union.js'
export { mergeRule, type CustomRule } from './merge/custom-rule.js'
export type {
  AnyRule,
  ChangeOf,
  Field,
  MergeRule,
  PrepareContext,
  RuleKind,
  Rules,
  ValueOf,
} from './merge/merge-rule.js'
export type { Stamp, StampSource } from './merge/stamp.js'

export { memory, type MemoryOptions } from './backend/memory-backend.js'
export { sequenceAt } from './backend/backend.js'
export { directoryPlace, placeOf, reservedMark, suffixBytesMax } from './backend/place.js'
export type {
  Absorb,
  AbsorbedShard,
  Backend,
  Call,
  Capabilities,
  DirectoryDocument,
  DirectoryStore,
  FieldChange,
  RecordStore,
  RouteStamp,
  ShardAnswer,
  ShardContents,
  ShardFailure,
  ShardsRead,
  ShardWrite,
  WriteAnswer,
  WriteStamp,
} from './backend/backend.js'
export type {
  AppendAnswer,
  CollectionLimits,
  CollectionStore,
  ItemAnswer,
  ItemAppend,
  ItemContents,
  ItemDeletion,
  ItemPut,
  ItemRead,
  ItemWriteAnswer,
  ItemWriteDone,
  ItemWriteNewer,
  ShardPage,
  ShardPageAnswer,
  StoredItem,
} from './backend/collection-store.js'
export type { ItemPart, ItemValue } from './item/item-value.js'
export type { SortBound } from './item/sort-bound.js'
export { compareSort, sortBytes, sortOf, type SortType, type SortValue } from './item/sort-value.js'
export { BackendError, isBackendError, type FailureKind, type ThrottleDetail } from './backend/backend-error.js'
export { ownGeneration, type Generation, type ShardRef } from './operation.js'
export type { Phase } from './routing/route.js'
export type { Spool, SpoolBatch, SpoolEntry } from './spool/spool.js'
export type { KeptChanges } from './spool/spool-log.js'

export { isSpillwayError, SpillwayError, type ErrorCode, type ErrorFields } from './errors/spillway-error.js'
export { InvalidArgumentError } from './errors/misuse-error.js'
export { ClosedError } from './errors/closed-error.js'
export { SpoolError, type SpoolFailure } from './errors/spool-error.js'
export { LimitReachedError } from './errors/limit-error.js'
export { WriteRejectedError, WriteUnknownError } from './errors/write-error.js'
export { PartialReadError, ReadFailedError, ValueOutOfRangeError } from './errors/read-error.js'
export { DirectoryMismatchError, RouteUnavailableError } from './errors/route-error.js'

export type { ClientCounters, SideCounters } from './telemetry/counters.js'
export type { ClientEvents, EventName } from './telemetry/events.js'
export type { Clock, Timer, TimerOptions } from './time/clock.js'
export type { Random } from './chance/random.js'
