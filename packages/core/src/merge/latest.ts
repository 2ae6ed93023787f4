import { InvalidArgumentError } from '../errors/misuse-error.js'
import { byteLength } from '../internal/byte-length.js'
import type { MergeRule } from './merge-rule.js'
import { compareStamps, type Stamp } from './stamp.js'

const mark = Symbol.for('spillway.at')

/** A value together with the time of the event that it comes from; made by {@link at}. */
export interface TimedValue<T> {
  /** The value itself. */
  readonly value: T
  /** Milliseconds since the Unix epoch. */
  readonly timeMs: number
  /** Decides between values of the same millisecond; the greater wins. */
  readonly order: number
  /** Tells a timed value from a plain one that happens to look alike. */
  readonly [mark]: true
}

/**
 * Gives a `latest` value the time of its event, so that the event that happened last wins, whenever it is written.
 * `timeMs` is milliseconds since the Unix epoch; `order` decides between events of one millisecond.
 * Throws `InvalidArgumentError` when either is not a safe integer.
 */
export function at<T>(value: T, timeMs: number, order = 0): TimedValue<T> {
  if (!Number.isSafeInteger(timeMs))
    throw new InvalidArgumentError('timeMs', 'a whole number of milliseconds since 1970', timeMs)
  if (!Number.isSafeInteger(order)) throw new InvalidArgumentError('order', 'a safe integer', order)
  return { value, timeMs, order, [mark]: true }
}

/** A value as text, under the stamp that decides whether it stays. */
export interface LatestState {
  /** The value as JSON: what is stored cannot be changed behind its back. */
  readonly json: string
  /** Decides. */
  readonly stamp: Stamp
}

/**
 * Keeps the value with the greatest stamp: a hybrid logical clock's, taken when `write` is called, or the event time that
 * {@link at} gives. Never the order of arrival. Takes JSON values; reads as `undefined` where nothing was written.
 */
export function latest<T>(): MergeRule<T | TimedValue<T>, LatestState, T | undefined> {
  return {
    kind: 'latest',
    id: 'latest',
    isIdempotent: true,
    prepare(change, context) {
      const argument = `change[${JSON.stringify(context.field)}]`
      if (!isTimed(change)) return { json: toJson(change, argument), stamp: context.stamps.next() }
      return {
        json: toJson(change.value, argument),
        stamp: { timeMs: change.timeMs, order: change.order, writer: context.stamps.writer },
      }
    },
    merge: newer,
    fits: () => true,
    view: (state) => (state === undefined ? undefined : (JSON.parse(state.json) as T)),
    bytes: (state) => byteLength(state.json) + 24 + state.stamp.writer.length,
    encode: (state) => JSON.stringify([state.stamp.timeMs, state.stamp.order, state.stamp.writer, state.json]),
    decode(text) {
      const [timeMs, order, writer, json] = JSON.parse(text) as [number, number, string, string]
      return { json, stamp: { timeMs, order, writer } }
    },
  }
}

function newer(a: LatestState, b: LatestState): LatestState {
  const order = compareStamps(a.stamp, b.stamp)
  if (order !== 0) return order > 0 ? a : b
  return a.json >= b.json ? a : b // the same stamp twice: the value itself decides, so that all readers agree
}

function isTimed<T>(change: T | TimedValue<T>): change is TimedValue<T> {
  return typeof change === 'object' && change !== null && mark in change
}

/** JSON for a value that JSON can give back as it was (but for -0, which reads as 0); anything else is refused rather than quietly changed. */
function toJson(value: unknown, argument: string): string {
  const problem = jsonProblem(value, 0, { left: nodesMax })
  if (problem === undefined) return JSON.stringify(value)
  const path = argument + problem.path
  const shown = path.length > pathShownMax ? `${path.slice(0, pathShownMax)}…` : path
  throw new InvalidArgumentError(shown, problem.expected, problem.given, problem.advice)
}

const depthMax = 64
/** What holds itself has a path without end, of which the beginning tells enough. */
const pathShownMax = 60
/** An object that holds another many times over is written out as often. */
const nodesMax = 100_000

interface JsonProblem {
  readonly path: string
  readonly expected: string
  readonly given: unknown
  readonly advice?: string
}

function jsonProblem(value: unknown, depth: number, nodes: { left: number }): JsonProblem | undefined {
  const refuse = (expected: string, advice?: string): JsonProblem =>
    advice === undefined ? { path: '', expected, given: value } : { path: '', expected, given: value, advice }
  nodes.left -= 1
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return undefined
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : refuse('a finite number')
  if (typeof value !== 'object') return refuse('a JSON value')
  if (depth >= depthMax) return refuse(`nested at most ${depthMax} deep`)
  if (nodes.left < 0) return refuse(`part of a value of at most ${nodesMax} parts`)
  if (Array.isArray(value)) {
    if (Object.keys(value).length !== value.length) return refuse('an array without holes')
  } else {
    const prototype: unknown = Object.getPrototypeOf(value)
    const isPlain = prototype === Object.prototype || prototype === null
    if (!isPlain || 'toJSON' in value) return refuse('a JSON value', 'Convert it to plain data first.')
  }
  if (Object.getOwnPropertySymbols(value).length > 0) return refuse('a JSON value', 'at() stands outside the value.')
  for (const [name, item] of Object.entries(value)) {
    const problem = jsonProblem(item, depth + 1, nodes)
    if (problem !== undefined) return { ...problem, path: `[${JSON.stringify(name)}]${problem.path}` }
  }
  return undefined
}
