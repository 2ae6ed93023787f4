// Problem: a field with a rule of the user's own is merged in this process, and others may change it meanwhile; what a failure
//   means depends on whether a copy may be in.
// Scheme: the script says what is stored, this process merges with it, and the script takes the result only if that is still
//   stored; else once more. A whole number that needs no number of its own is added without a script.
// Invariants: what is merged was merged with what it replaces; a write is refused only if no copy of it can be in.
// Cost: one request, two where a field with a user's own rule has a value already.
// Source: scripts/apply.ts; error-table.ts.

import { BackendError, type FieldChange } from '@spillway/core'

import type { Merged } from './apply-request.js'
import type { RedisPort } from './client-port.js'
import { isWrongType, writeFailure } from './error-table.js'
import { encoded, hashFieldOf } from './field-state.js'
import type { ResolvedRedisOptions } from './options.js'
import { runReplicated } from './replication.js'
import { applyScript } from './scripts/apply.js'

/** So often a user's own merge is tried against others before the write is called unavailable: nothing is done, and the core waits. */
const mergesMax = 64

/** What the script is to do. */
export interface Application<T> {
  readonly key: string
  /** In the order in which the script names them. */
  readonly changes: readonly FieldChange[]
  /** Whether a WAIT follows. */
  readonly isConfirmed: boolean
  /** Whether what is in already is found to be in. */
  readonly isDeduped: boolean
  /** What the port had counted before anything was sent. */
  readonly resendCount: number
  /** The script's arguments, with what was merged here in the meantime. */
  readonly argsOf: (merged?: Merged) => readonly string[]
  /** What its answer means. */
  readonly made: (answer: unknown) => T
}

/** Adds the only change of a write without a script; where a string may have to be adopted, with it. Resolves with `answer`. */
export function addBare<T>(
  port: RedisPort,
  options: ResolvedRedisOptions,
  application: Application<T>,
  answer: T,
): Promise<T> {
  const { key, changes } = application
  const [change] = changes as [FieldChange]
  return port.send(key, ['hincrby', key, hashFieldOf(change.name), encoded(change)]).then(
    () => answer,
    (error: unknown) => {
      if (options.adoptStringAs !== '' && isWrongType(error)) return apply(port, options, application)
      throw failureOf(port, error, application)
    },
  )
}

/** Runs the script until no user's own rule was overtaken. Rejects with `BackendError`. */
export function apply<T>(
  port: RedisPort,
  options: ResolvedRedisOptions,
  application: Application<T>,
  merged?: Merged,
  attempt = 1,
): Promise<T> {
  const { key, isConfirmed, argsOf, made } = application
  const args = argsOf(merged)
  const ran = isConfirmed
    ? runReplicated(port, { script: applyScript, key, args, mustStand: isDone }, options)
    : applyScript.run(port, key, args)
  return ran.then(
    (answer) => {
      if (!Array.isArray(answer) || answer[0] !== 'retry') return made(answer)
      if (attempt < mergesMax) {
        const mergedNow = mergedFor(port, application, answer)
        return apply(port, options, application, mergedNow, attempt + 1)
      }
      const message = `Others changed the key ${mergesMax} times while its fields were merged.`
      throw new BackendError(mayBeIn(port, application) ? 'unknown' : 'unavailable', message)
    },
    (error: unknown) => {
      throw failureOf(port, error, application)
    },
  )
}

/** A shard that is sealed, or knows the number no more, was not changed: there is nothing to wait for. */
function isDone(answer: unknown): boolean {
  return answer === 'done'
}

function mergedFor(port: RedisPort, application: Application<unknown>, answer: readonly unknown[]): Merged {
  try {
    return mergedWith(application.changes, answer)
  } catch (error) {
    if (!mayBeIn(port, application)) throw error
    throw new BackendError('unknown', `${(error as Error).message} A copy sent before may be in.`, { cause: error })
  }
}

/** Whether a copy may be in that no answer speaks of. */
function mayBeIn(port: RedisPort, { isDeduped, resendCount }: Application<unknown>): boolean {
  return !isDeduped && port.resendCount() !== resendCount
}

/** The texts of fields with a user's own rule, merged with what Redis has just said that it holds: text and digest, field by field. */
function mergedWith(changes: readonly FieldChange[], [, ...known]: readonly unknown[]): Merged {
  const merged = new Map<FieldChange, readonly [string, string]>()
  for (const change of changes) {
    if (change.rule.kind !== 'custom') continue
    const [text, digest] = known.splice(0, 2)
    if (typeof text === 'string') merged.set(change, [mergedText(change, text), String(digest)])
  }
  return merged
}

function mergedText(change: FieldChange, text: string): string {
  try {
    return change.rule.encode(change.rule.merge(change.rule.decode(text), change.state))
  } catch (error) {
    throw new BackendError('invalid', `A rule of the user's own threw: ${String(error)}`, { cause: error })
  }
}

function failureOf(
  port: RedisPort,
  error: unknown,
  { changes, isDeduped, resendCount }: Application<unknown>,
): BackendError {
  return withFieldName(writeFailure(error, port.resendCount() !== resendCount, isDeduped), changes)
}

/** The script names a field by its position. */
function withFieldName(failure: BackendError, changes: readonly FieldChange[]): BackendError {
  const [, position, why] = /^(\d+) (.*)$/.exec(failure.message) ?? []
  const name = changes[Number(position) - 1]?.name
  if (name === undefined) return failure
  const outcome = failure.kind === 'invalid' ? 'Nothing was changed.' : 'A copy sent before may be in.'
  return new BackendError(failure.kind, `Field ${JSON.stringify(name)} ${why}. ${outcome}`, { cause: failure.cause })
}
