// Problem: a backend is written by somebody else; it may throw where it should reject, answer in another form, or be shared.
// Scheme: one thin layer around every adapter. Writes and reads pass through it without a promise of its own: who awaits them
//   checks the answer (`checkWriteAnswer`, `checkReadAnswers`) and names the failure (`asBackendError`) in the handler that it
//   has anyway. Everything rarer is checked here.
// Invariants: `open` runs once a backend object, whoever shares it, and `close` once after its last user; a malformed answer
//   to a write is «unknown», for nobody knows what was done.
// Cost: one try block a request.
// Source: kysely's runtime driver.

import { describe, InvalidArgumentError } from '../errors/misuse-error.js'
import type { Magnitudes } from '../merge/magnitudes.js'
import { asBackendError, BackendError } from './backend-error.js'
import type {
  Backend,
  Call,
  Capabilities,
  DirectoryDocument,
  DirectoryStore,
  RecordStore,
  ShardAnswer,
  ShardContents,
  ShardsRead,
  WriteAnswer,
} from './backend.js'
import { checkCollections, guardCollections } from './guarded-collections.js'
import { SharedLife } from './shared-life.js'

/** A backend behind the guard: it can always be opened and closed, and no request throws. */
export interface GuardedBackend extends Backend {
  /** Opens the backend unless another guard of it has; concurrent callers share the attempt. Rejects with `BackendError`; may then be tried again. */
  open(call: Call): Promise<void>
  /** Closes the backend when no other guard of it is open. A second call does nothing more. Rejects with `BackendError`. */
  close(): Promise<void>
}

/** Puts the guard around a backend. Throws `InvalidArgumentError` when a part of it is missing or a limit makes no sense. */
export function guardBackend(backend: Backend): GuardedBackend {
  checkBackend(backend)
  const life = new SharedLife(backend)
  return {
    name: backend.name,
    capabilities: backend.capabilities,
    directory: guardDirectory(backend.directory),
    records: guardRecords(backend.records),
    collections: backend.collections && guardCollections(backend.collections),
    open: (call) => life.open(call),
    close: () => life.close(),
  }
}

/** Checks what a backend answered to a write. Throws `BackendError`: «unknown», for a write that was badly answered may be in. */
export function checkWriteAnswer(answer: WriteAnswer): WriteAnswer {
  const status: unknown = (answer as WriteAnswer | undefined)?.status
  if (status === 'done' || status === 'sealed') return answer
  if (status === 'expired') {
    if (Number.isSafeInteger(answer.forgottenUpTo)) return answer
    const given = describe(answer.forgottenUpTo)
    throw new BackendError(
      'unknown',
      `The backend must answer an expired write with forgottenUpTo, a safe integer, but it was ${given}.`,
    )
  }
  throw new BackendError(
    'unknown',
    `The backend must answer a write with a status of done, sealed or expired, but answered ${shown(answer)}.`,
  )
}

/** The capacity units that an answer tells; undefined where it tells none, or what cannot be. */
export function unitsOf({ units }: { readonly units?: number | undefined }): number | undefined {
  return typeof units === 'number' && units >= 0 && units < Infinity ? units : undefined
}

/** Checks what a backend answered to a read: one well-formed answer a shard. Throws `BackendError`. */
export function checkReadAnswers(answers: readonly ShardAnswer[], read: ShardsRead): readonly ShardAnswer[] {
  const { shards, fields } = read
  const given: unknown = answers
  if (!Array.isArray(given) || given.length !== shards.length) {
    throw malformed(
      `The backend must answer a read of ${shards.length} shards with as many answers, but answered ${shown(answers)}.`,
    )
  }
  for (const answer of answers) {
    if ((answer as ShardAnswer | undefined)?.status === 'failed') continue
    checkContents(answer as ShardContents, fields.length)
  }
  return answers
}

function checkContents(contents: ShardContents, fieldCount: number): ShardContents {
  const given: Partial<ShardContents> | undefined = contents
  const { status, states, absorbed, otherFields } = given ?? {}
  if (status !== 'read' || !Array.isArray(states) || states.length !== fieldCount) {
    throw malformed(
      `The backend must answer a shard with a status of read and ${fieldCount} states, or of failed, but answered ${shown(contents)}.`,
    )
  }
  if (absorbed !== undefined && !Array.isArray(absorbed))
    throw malformed(`The backend must list absorbed shards in an array, but answered ${shown(absorbed)}.`)
  if (otherFields !== undefined && !Array.isArray(otherFields))
    throw malformed(`The backend must list other fields in an array, but answered ${shown(otherFields)}.`)
  return contents
}

function malformed(message: string): BackendError {
  return new BackendError('unavailable', message)
}

/** Of an answer only its shape: what it holds is the application's and stays out of messages. */
function shown(answer: unknown): string {
  if (Array.isArray(answer)) return `an array of ${answer.length}`
  if (typeof answer !== 'object' || answer === null) return answer === null ? 'null' : typeof answer
  return `an object with ${Object.keys(answer).slice(0, 8).join(', ') || 'nothing in it'}`
}

function guardRecords(records: RecordStore): RecordStore {
  return {
    write(write, call) {
      try {
        return Promise.resolve(records.write(write, call)) // the very same promise, unless it is no native one
      } catch (error) {
        return Promise.reject(asBackendError(error))
      }
    },
    read(read, call) {
      try {
        return Promise.resolve(records.read(read, call))
      } catch (error) {
        return Promise.reject(asBackendError(error))
      }
    },
    seal: (shard, fields, call) =>
      translated(async () => checkContents(await records.seal(shard, fields, call), fields.length)),
    absorb: (absorb, call) => translated(() => records.absorb(absorb, call)),
    clear: (shard, retentionMs, call) =>
      translated(async () => checkCleared(await records.clear(shard, retentionMs, call))),
    ...(records.stampRoute && {
      stampRoute: (shard, stamp, call) => translated(async () => records.stampRoute?.(shard, stamp, call)),
    }),
    ...(records.checkSpread && {
      checkSpread: (shard, call) => translated(async () => records.checkSpread?.(shard, call)),
    }),
  }
}

function guardDirectory(directory: DirectoryStore): DirectoryStore {
  return {
    read: (call) => translated(async () => checkDocument(await directory.read(call))),
    swap: (expected, text, call) => translated(async () => checkVersion(await directory.swap(expected, text, call))),
    ...(directory.copy && { copy: (index: number) => guardDirectory(directory.copy?.(index) ?? directory) }),
  }
}

function checkCleared(answer: 'expires' | 'stays'): 'expires' | 'stays' {
  if (answer === 'expires' || answer === 'stays') return answer
  throw malformed(`The backend must answer a clear with expires or stays, but answered ${shown(answer)}.`)
}

function checkDocument(document: DirectoryDocument): DirectoryDocument {
  const given: Partial<Record<keyof DirectoryDocument, unknown>> | undefined = document
  const { text, version } = given ?? { text: null, version: null }
  const isEmpty = text === undefined && version === undefined
  if (isEmpty || (typeof text === 'string' && typeof version === 'string')) return document
  throw malformed(
    `The backend must answer the directory with text and version, or with neither, but answered ${shown(document)}.`,
  )
}

function checkVersion(version: string | undefined): string | undefined {
  if (version === undefined || typeof version === 'string') return version
  throw new BackendError(
    'unknown',
    `The backend must answer a swap with a version or undefined, but answered ${shown(version)}.`,
  )
}

async function translated<T>(request: () => Promise<T>): Promise<T> {
  try {
    return await request()
  } catch (error) {
    throw asBackendError(error)
  }
}

/** Checks what somebody gives as a backend: every part that is called, and every limit. Throws `InvalidArgumentError`. */
export function checkBackend(backend: unknown): asserts backend is Backend {
  const given = backend as Partial<Backend> | null | undefined
  if (typeof given !== 'object' || given === null)
    throw new InvalidArgumentError('backend', 'a Backend, such as memory()', given)
  if (typeof given.name !== 'string' || given.name === '')
    throw new InvalidArgumentError('backend.name', 'a name', given.name)
  for (const method of ['write', 'read', 'seal', 'absorb', 'clear'] as const)
    checkMethod(`backend.records.${method}`, given.records?.[method])
  for (const method of ['stampRoute', 'checkSpread'] as const)
    if (given.records?.[method] !== undefined) checkMethod(`backend.records.${method}`, given.records[method])
  if (given.collections !== undefined) checkCollections(given.collections)
  for (const method of ['read', 'swap'] as const) checkMethod(`backend.directory.${method}`, given.directory?.[method])
  for (const method of ['open', 'close'] as const)
    if (given[method] !== undefined) checkMethod(`backend.${method}`, given[method])
  const limits = given.capabilities
  if (typeof limits !== 'object' || limits === null)
    throw new InvalidArgumentError('backend.capabilities', 'the limits of the store', limits)
  checkCapabilities(limits)
}

function checkCapabilities(limits: Partial<Capabilities>): void {
  for (const limit of ['keyBytesMax', 'changeBytesMax', 'shardsPerReadMax'] as const) checkLimit(limit, limits[limit])
  checkLimit('partition.writeUnitsPerSecond', limits.partition?.writeUnitsPerSecond)
  checkLimit('partition.readUnitsPerSecond', limits.partition?.readUnitsPerSecond)
  if (typeof limits.integerMax !== 'bigint' || limits.integerMax < 1n)
    throw new InvalidArgumentError('backend.capabilities.integerMax', 'a positive bigint', limits.integerMax)
  if (typeof limits.reservedMark !== 'string' || limits.reservedMark === '') {
    throw new InvalidArgumentError('backend.capabilities.reservedMark', 'a text that is not empty', limits.reservedMark)
  }
  if (limits.magnitudes !== undefined) checkMagnitudes(limits.magnitudes)
  if (limits.conditionalFieldsMax !== undefined) checkLimit('conditionalFieldsMax', limits.conditionalFieldsMax)
}

function checkMagnitudes(given: unknown): void {
  const { least, most } = (given ?? {}) as Partial<Record<keyof Magnitudes, unknown>>
  if (typeof least !== 'number' || !(least > 0 && least <= 1))
    throw new InvalidArgumentError('backend.capabilities.magnitudes.least', 'a number above 0 and up to 1', least)
  if (typeof most !== 'number' || !(most >= 1 && most < Infinity))
    throw new InvalidArgumentError('backend.capabilities.magnitudes.most', 'a finite number of at least 1', most)
}

function checkMethod(name: string, given: unknown): void {
  if (typeof given !== 'function') throw new InvalidArgumentError(name, 'a function', given)
}

function checkLimit(name: string, given: unknown): void {
  if (typeof given !== 'number' || !(given >= 1))
    throw new InvalidArgumentError(`backend.capabilities.${name}`, 'a number of at least 1', given)
}
