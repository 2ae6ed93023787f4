import { BackendError } from '../backend/backend-error.js'
import { DirectoryMismatchError } from '../errors/route-error.js'
import { describe } from '../errors/misuse-error.js'
import { isPowerOfTwo } from '../internal/power-of-two.js'
import type { Generation } from '../operation.js'
import type { Phase, Route } from './route.js'

/** A route as it is stored: a tuple, since the document must stay small. */
export type RouteTuple = [
  key: string,
  phase: Phase,
  read: number,
  write: number,
  generations: [number: number, nonce: number][],
  writeHistory: number[],
  revision: number,
]

/** The directory as it is stored. */
export interface Document {
  format: number
  madeMs: number
  counter: number
  copies?: number
  leaseMs: number
  retryHorizonMs: number
  sealRetentionMs: number
  hash: { version: number; seed: number }
  healCount?: number
  leader?: [id: string, term: number]
  routes: RouteTuple[]
}

/** The only format of the document that this version writes and reads. */
export const formatVersion = 1

/** The only way of hashing sort values that this version knows. */
export const hashVersion = 1

/** The greatest fanout that `sharding.fanoutMax` allows; a read of more shards than that would not end in useful time. */
const fanoutMost = 1_024

const phases: readonly unknown[] = ['cold', 'announced', 'active', 'draining', 'settled'] satisfies Phase[]

/**
 * The document that `text` holds. Throws `DirectoryMismatchError` for one of another format or hash, and a `BackendError`
 * of kind `invalid` for anything that is no directory: acting on half a route would lose writes.
 */
export function parseDocument(text: string): Document {
  const document = parsed(text)
  expectThat(isObject(document), 'the document', 'an object', document)
  const { format, madeMs, counter, copies, hash, healCount, leader, routes } = document
  expectThat(isWhole(format), 'format', 'a whole number', format)
  if (format !== formatVersion) throw new DirectoryMismatchError('the format of the directory', format, formatVersion)
  expectThat(isWhole(madeMs), 'madeMs', 'a whole number', madeMs)
  expectThat(isWhole(counter), 'counter', 'a whole number', counter)
  expectThat(copies === undefined || (isWhole(copies) && copies >= 1), 'copies', 'a whole number of at least 1', copies)
  for (const name of ['leaseMs', 'retryHorizonMs', 'sealRetentionMs'] as const)
    expectThat(isDuration(document[name]), name, 'a number of milliseconds', document[name])
  expectThat(isObject(hash), 'hash', 'an object', hash)
  if (hash['version'] !== hashVersion)
    throw new DirectoryMismatchError('the hash of the directory', hash['version'], hashVersion)
  expectThat(isUint32(hash['seed']), 'hash.seed', 'a whole number below 2 ** 32', hash['seed'])
  expectThat(healCount === undefined || isWhole(healCount), 'healCount', 'a whole number', healCount)
  expectThat(leader === undefined || isLeader(leader), 'leader', 'an id and a whole number', leader)
  expectThat(Array.isArray(routes), 'routes', 'an array', routes)
  for (const [i, route] of routes.entries()) checkRoute(route, `routes[${i}]`)
  const keyCount = new Set(routes.map(([key]: RouteTuple) => key)).size
  expectThat(keyCount === routes.length, 'routes', 'one for each key', routes)
  return document as unknown as Document
}

/** A route as it is stored in a directory. */
export function tupleOf(key: string, route: Route): RouteTuple {
  return [
    key,
    route.phase,
    route.read,
    route.write,
    route.generations.map(({ number, nonce }) => [number, nonce]),
    [...route.writeHistory],
    route.revision,
  ]
}

/** The inverse of {@link tupleOf}. */
export function routeOfTuple([, phase, read, write, generations, writeHistory, revision]: RouteTuple): Route {
  return {
    phase,
    read,
    write,
    generations: generations.map(([number, nonce]): Generation => ({ number, nonce })),
    writeHistory,
    revision,
  }
}

/** A route alone, as text: what it says beside its key and revision. */
export function routeText(route: Route): string {
  return JSON.stringify(tupleOf('', route).slice(1, -1))
}

/** The inverse of {@link routeText}. Throws `BackendError` of kind `invalid`. */
export function parseRoute(key: string, text: string, revision: number): Route {
  const parts = parsed(text)
  expectThat(Array.isArray(parts), 'a stamped route', 'an array', parts)
  const tuple = [key, ...(parts as unknown[]), revision]
  checkRoute(tuple, 'a stamped route')
  return routeOfTuple(tuple as RouteTuple)
}

function checkRoute(route: unknown, path: string): void {
  expectThat(Array.isArray(route) && route.length === 7, path, 'a tuple of 7', route)
  const [key, phase, read, write, generations, writeHistory, revision] = route as unknown[]
  expectThat(typeof key === 'string', `${path}.key`, 'a text', key)
  expectThat(phases.includes(phase), `${path}.phase`, phases.join(', '), phase)
  expectThat(isFanout(read), `${path}.read`, `a power of two up to ${fanoutMost}`, read)
  expectThat(isFanout(write) && write <= read, `${path}.write`, `a power of two up to ${read}`, write)
  expectThat(
    Array.isArray(generations) && generations.every(isGeneration) && generations.length >= Math.log2(read),
    `${path}.generations`,
    `at least ${Math.log2(read)} pairs of whole numbers`,
    generations,
  )
  expectThat(
    Array.isArray(writeHistory) && writeHistory.every(isFanout),
    `${path}.writeHistory`,
    `powers of two up to ${fanoutMost}`,
    writeHistory,
  )
  expectThat(isWhole(revision), `${path}.revision`, 'a whole number', revision)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw malformed(`it is not JSON (${text.length} characters)`, error)
  }
}

function expectThat(isMet: boolean, path: string, expected: string, given: unknown): asserts isMet {
  if (!isMet) throw malformed(`${path} must be ${expected}, but was ${describe(given)}`)
}

function malformed(what: string, cause?: unknown): BackendError {
  return new BackendError(
    'invalid',
    `The backend's directory holds something else than a directory of routes: ${what}. Restore it, or point the client at the right place.`,
    { cause },
  )
}

function isObject(given: unknown): given is Record<string, unknown> {
  return typeof given === 'object' && given !== null && !Array.isArray(given)
}

function isWhole(given: unknown): given is number {
  return Number.isSafeInteger(given) && (given as number) >= 0
}

function isUint32(given: unknown): given is number {
  return isWhole(given) && given <= 0xffffffff
}

function isDuration(given: unknown): given is number {
  return typeof given === 'number' && given >= 0
}

function isFanout(given: unknown): given is number {
  return typeof given === 'number' && isPowerOfTwo(given) && given <= fanoutMost
}

function isLeader(given: unknown): boolean {
  return Array.isArray(given) && given.length === 2 && typeof given[0] === 'string' && isWhole(given[1])
}

function isGeneration(given: unknown): boolean {
  return Array.isArray(given) && given.length === 2 && isWhole(given[0]) && isUint32(given[1])
}
