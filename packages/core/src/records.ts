import type { WriteOptions } from './collapse/write-options.js'
import { ClosedError } from './errors/closed-error.js'
import { InvalidArgumentError } from './errors/misuse-error.js'
import type { ChangeOf, Rules, ValueOf } from './merge/merge-rule.js'
import type { PartialRead, ReadOptions, ReadPath } from './read-path.js'
import type { WritePath } from './write-path.js'

/** How a record is kept. */
export interface RecordOptions {
  /** Stands before every key, so that records of one name space do not meet those of another. @default '' */
  readonly prefix?: string
  /**
   * Whether every acknowledged write counts once. With false, a write whose answer was lost may count twice, and Spillway keeps
   * nothing in the item to prevent it: for sums that may drift, such as rough view counts, on the cheapest path of the store.
   * Must be the same for every client that writes the record. @default true
   */
  readonly dedupe?: boolean
}

/** Mergeable fields under keys. Made by `client.records()`. */
export class Records<R extends Rules> {
  /** As it was given to `client.records()`. */
  readonly name: string
  readonly #writePath: WritePath
  readonly #readPath: ReadPath
  readonly #isClosed: () => boolean

  /** @internal */
  constructor(name: string, writePath: WritePath, readPath: ReadPath, isClosed: () => boolean) {
    this.name = name
    this.#writePath = writePath
    this.#readPath = readPath
    this.#isClosed = isClosed
  }

  /**
   * Merges `change` into the record under `key`; resolves once it is durable in the backend.
   *
   * A cold key's change leaves at once, and what arrives meanwhile goes with the next write; a hot key is written once a
   * window. Callers that pass no options share one promise a write.
   *
   * Rejects with `INVALID_ARGUMENT`, `LIMIT_REACHED` or `CLOSED` before anything is sent (and with `SPOOL` when a buffered
   * change cannot be kept on disk: then it is not accepted), with `WRITE_REJECTED` when the change is not and will not be written, with `WRITE_UNKNOWN` when it may be, once, and with the
   * signal's reason when that comes first: a change that has been accepted is written all the same.
   */
  write(key: string, change: ChangeOf<R>, options?: WriteOptions): Promise<void> {
    if (options === undefined) return this.#writePath.write(key, change, undefined)
    try {
      return this.#writePath.write(key, change, checkedWriteOptions(options))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * The merged value of `key`: every change acknowledged before this call, once. Fields never written read as their rule says.
   * Callers at the same time may share one frozen value.
   *
   * Rejects with `INVALID_ARGUMENT`, `LIMIT_REACHED` or `CLOSED` before anything is sent, with `READ_FAILED` or
   * `ROUTE_UNAVAILABLE` when nothing could be read, with `PARTIAL_READ` when a shard is missing and `allowPartial` is not set,
   * with `VALUE_OUT_OF_RANGE` when a stored total does not fit its type, and with the signal's reason when that comes first.
   */
  read(key: string, options: ReadOptions & { readonly allowPartial: true }): Promise<PartialRead<ValueOf<R>>>
  read(key: string, options?: ReadOptions & { readonly allowPartial?: false }): Promise<ValueOf<R>>
  read(key: string, options?: ReadOptions): Promise<ValueOf<R> | PartialRead<ValueOf<R>>> {
    if (this.#isClosed()) return Promise.reject(new ClosedError('read()'))
    if (options === undefined) return this.#readPath.value(key) as Promise<ValueOf<R>>
    try {
      const read = this.#readPath.valueWith(key, checkedReadOptions(options))
      return read as Promise<ValueOf<R> | PartialRead<ValueOf<R>>>
    } catch (error) {
      return Promise.reject(error)
    }
  }
}

/** A checked copy: the caller's object may be changed, or answer differently when it is asked again. */
function checkedWriteOptions(options: WriteOptions): WriteOptions {
  checkNames(options, ['signal', 'ack'])
  const { signal, ack } = options
  checkSignal(signal)
  if (ack !== undefined && ack !== 'written' && ack !== 'buffered')
    throw new InvalidArgumentError('options.ack', "'written' or 'buffered'", ack)
  return { ...(signal && { signal }), ...(ack && { ack }) }
}

function checkedReadOptions(options: ReadOptions): ReadOptions {
  checkNames(options, ['signal', 'pending', 'allowPartial'])
  const { signal, pending = false, allowPartial = false } = options
  checkSignal(signal)
  for (const [name, value] of Object.entries({ pending, allowPartial })) {
    if (typeof value !== 'boolean') throw new InvalidArgumentError(`options.${name}`, 'a boolean', value)
  }
  return { ...(signal && { signal }), pending, allowPartial }
}

function checkNames(options: unknown, names: readonly string[]): void {
  if (typeof options !== 'object' || options === null)
    throw new InvalidArgumentError('options', `an object with ${names.join(', ')}`, options)
  for (const name in options) {
    if (!names.includes(name)) throw new InvalidArgumentError('options', `made of ${names.join(', ')}`, name)
  }
}

function checkSignal(signal: unknown): void {
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new InvalidArgumentError('options.signal', 'an AbortSignal', signal)
}
