import type { WriteOptions } from './collapse/collapse.js'
import { ClosedError } from './errors/closed-error.js'
import { InvalidArgumentError } from './errors/misuse-error.js'
import type { ChangeOf, Rules, ValueOf } from './merge/merge-rule.js'
import type { PartialRead, ReadOptions, ReadPath } from './read-path.js'
import type { WritePath } from './write-path.js'

/** How a record is kept. */
export interface RecordOptions {
  /** Stands before every key, so that records of one name space do not meet those of another. @default '' */
  readonly prefix?: string
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
   * Rejects with `INVALID_ARGUMENT`, `LIMIT_REACHED`, `CLOSED` or `ROUTE_UNAVAILABLE` before anything is sent, with
   * `WRITE_REJECTED` when the change is not and will not be written, with `WRITE_UNKNOWN` when it may be, once, and with the
   * signal's reason when that comes first: a change that has been accepted is written all the same.
   */
  write(key: string, change: ChangeOf<R>, options?: WriteOptions): Promise<void> {
    if (options !== undefined) {
      const problem = writeOptionsProblem(options)
      if (problem !== undefined) return Promise.reject(problem)
    }
    return this.#writePath.write(key, change, options)
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
    const problem = readOptionsProblem(options)
    if (problem !== undefined) return Promise.reject(problem)
    return this.#readPath.valueWith(key, options) as Promise<ValueOf<R> | PartialRead<ValueOf<R>>>
  }
}

function writeOptionsProblem(options: WriteOptions): InvalidArgumentError | undefined {
  const problem = optionsProblem(options, ['signal', 'ack'])
  if (problem !== undefined) return problem
  const { ack } = options
  return ack === undefined || ack === 'written' || ack === 'buffered'
    ? undefined
    : new InvalidArgumentError('options.ack', "'written' or 'buffered'", ack)
}

function readOptionsProblem(options: ReadOptions): InvalidArgumentError | undefined {
  const problem = optionsProblem(options, ['signal', 'pending', 'allowPartial'])
  if (problem !== undefined) return problem
  for (const name of ['pending', 'allowPartial'] as const) {
    if (options[name] !== undefined && typeof options[name] !== 'boolean')
      return new InvalidArgumentError(`options.${name}`, 'a boolean', options[name])
  }
  return undefined
}

function optionsProblem(options: unknown, names: readonly string[]): InvalidArgumentError | undefined {
  if (typeof options !== 'object' || options === null)
    return new InvalidArgumentError('options', `an object with ${names.join(', ')}`, options)
  for (const name in options) {
    if (!names.includes(name)) return new InvalidArgumentError('options', `made of ${names.join(', ')}`, name)
  }
  const { signal } = options as { signal?: unknown }
  if (signal !== undefined && !(signal instanceof AbortSignal))
    return new InvalidArgumentError('options.signal', 'an AbortSignal', signal)
  return undefined
}
