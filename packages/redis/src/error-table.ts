// Problem: what a failed command means for the data is hidden in words, and a client that sends again by itself makes even a
//   clear «no» doubtful.
// Scheme: one table from the first word of Redis's answer to what it means; then one from what the clients say. Whatever is in
//   neither is «unknown» for a write.
// Invariants: a write is called anything but «unknown» only when no copy of it can have been carried out: Redis refused it, and
//   no connection was lost meanwhile after which the client may have sent it a second time; or it never left the process.
//   Nothing is ever «throttled»: Redis knows no such refusal, so there are no hidden throttles either; what a hosted Redis limits
//   shows as latency, or as a connection that is closed.
// Cost: only failures come here.
// Source: redis.io/docs/latest/develop/reference/protocol-spec and cluster-spec; src/server.c and src/script.c of Redis 7.0;
//   ioredis 5.11 and 6.0, iovalkey 0.4; node-redis 5.12 and 6.3.

import { BackendError, type FailureKind, isBackendError } from '@spillway/core'

interface Meaning {
  readonly kind: FailureKind
  readonly advice?: string
}

/** What Redis answers, by the first word; in each case it has done nothing. */
const answers: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ['MOVED', { kind: 'unavailable' }],
  ['ASK', { kind: 'unavailable' }],
  ['TRYAGAIN', { kind: 'unavailable' }],
  ['CLUSTERDOWN', { kind: 'unavailable' }],
  ['MASTERDOWN', { kind: 'unavailable' }],
  ['READONLY', { kind: 'unavailable' }],
  ['LOADING', { kind: 'unavailable' }],
  ['BUSY', { kind: 'unavailable' }],
  ['NOREPLICAS', { kind: 'unavailable', advice: 'Too few replicas are attached for min-replicas-to-write.' }],
  ['NOSCRIPT', { kind: 'unavailable' }],
  ['MISCONF', { kind: 'rejected', advice: 'Redis cannot save its data and refuses writes until it can.' }],
  ['OOM', { kind: 'rejected', advice: 'Redis is at its maxmemory.' }],
  ['NOAUTH', { kind: 'rejected', advice: 'The client has not logged in.' }],
  ['WRONGPASS', { kind: 'rejected', advice: 'The client could not log in.' }],
  ['NOPERM', { kind: 'rejected', advice: 'The README lists the commands and keys that the user needs.' }],
  ['CROSSSLOT', { kind: 'invalid' }],
  [
    'WRONGTYPE',
    { kind: 'invalid', advice: 'A hash is adopted as it stands, a counter with adoptStringAs; no other type is.' },
  ],
])

/** Longer answers of Redis, and what clients say of commands that they have not sent; in each case nothing was done. */
const refusals: readonly (readonly [RegExp, Meaning])[] = [
  [/^ERR unknown (sub)?command/i, { kind: 'invalid', advice: 'Redis 6.2 or later is needed.' }],
  [/^ERR max number of clients/, { kind: 'unavailable' }],
  // Redis 7 says so of a command inside a script; all of ours look before they change anything, and take back what they have begun.
  [/^ERR The user executing the script/, { kind: 'rejected', advice: 'The README lists the commands that it needs.' }],
  [/enableOfflineQueue options is false/, { kind: 'unavailable' }], // ioredis: "Stream isn't writeable and …", "Cluster isn't ready and …"
  [/^All keys in the pipeline should belong to the same slots allocation group/, { kind: 'unavailable' }], // ioredis
  [/^Connection in subscriber mode/, { kind: 'invalid', advice: 'Subscribe on another client.' }], // ioredis
  [/^The client is (closed|offline)$/, { kind: 'unavailable' }], // node-redis
  [/^The queue is full/, { kind: 'unavailable' }], // node-redis
  [/^Too many Cluster redirections$/, { kind: 'unavailable' }], // node-redis 6: the last answer was MOVED or ASK
]

/** What Redis says of a bare HINCRBY, as the script would. */
const sums: readonly (readonly [RegExp, string])[] = [
  [/^ERR hash value is not an integer/, '1 is stored as something else than a whole number'],
  [/^ERR increment or decrement would overflow/, '1 would leave the range of 64 bits'],
]

const redirections =
  /^(MOVED|ASK|TRYAGAIN|CLUSTERDOWN) |^Too many Cluster redirections|^All keys in the pipeline should/

/** Whether a command went to a node that does not serve its key. Nothing was done there. */
export function isRedirection(error: unknown): boolean {
  return redirections.test(messageOf(error))
}

/** Whether a node does not know a script. */
export function isUnknownScript(error: unknown): boolean {
  return wordOf(messageOf(error)) === 'NOSCRIPT'
}

/** Whether a key holds another type than a hash. */
export function isWrongType(error: unknown): boolean {
  return wordOf(messageOf(error)) === 'WRONGTYPE'
}

/** A client that can send nothing, and will not unless the application opens it. */
export function closedClient(name: string): BackendError {
  return new BackendError(
    'invalid',
    `The ${name} client is closed or was never connected. Connect it first, and close it after Spillway's.`,
  )
}

/** The failure of a command that changes nothing. */
export function readFailure(error: unknown): BackendError {
  if (isBackendError(error)) return error
  const message = messageOf(error)
  const own = ownRefusal(message)
  if (own !== undefined) return new BackendError('invalid', own, { cause: error })
  const meaning = meaningOf(message)
  return made(meaning?.kind ?? 'unavailable', message, meaning?.advice, error)
}

/**
 * The failure of a command that changes something. `mayBeCopied`: a connection was lost while it was under way. `isDeduped`: a
 * script of ours answers what is done before it refuses anything.
 */
export function writeFailure(error: unknown, mayBeCopied: boolean, isDeduped = true): BackendError {
  if (isBackendError(error)) return error
  const message = messageOf(error)
  const own = ownRefusal(message)
  // After the dedupe check a refusal says that no earlier copy is in either; without one it speaks of the last copy alone.
  const ownKind = mayBeCopied && !isDeduped ? 'unknown' : 'invalid'
  if (own !== undefined) return new BackendError(ownKind, own, { cause: error })
  if (mayBeCopied) return made('unknown', message, meaningOf(message)?.advice, error)
  const sum = sums.find(([pattern]) => pattern.test(message))
  if (sum !== undefined) return new BackendError('invalid', sum[1], { cause: error })
  const meaning = meaningOf(message) ?? meaningOfLast(message)
  return made(meaning?.kind ?? 'unknown', message, meaning?.advice, error)
}

/** What a script of ours says. */
function ownRefusal(message: string): string | undefined {
  return /^SPILLWAY (.*?)( script: .*)?$/.exec(message)?.[1]
}

function meaningOf(message: string): Meaning | undefined {
  return answers.get(wordOf(message)) ?? refusals.find(([pattern]) => pattern.test(message))?.[1]
}

/** What ioredis heard last before it gave up following. */
function meaningOfLast(message: string): Meaning | undefined {
  const last = /^Too many Cluster redirections\. Last error: (?:ReplyError|Error|SimpleError): (.*)/.exec(message)
  return last !== null && answers.has(wordOf(last[1] as string)) ? { kind: 'unavailable' } : undefined
}

function made(kind: FailureKind, message: string, advice: string | undefined, cause: unknown): BackendError {
  const stop = /[.!?]$/.test(message) ? '' : '.'
  return new BackendError(kind, `Redis: ${message}${advice === undefined ? '' : `${stop} ${advice}`}`, { cause })
}

/** Some errors of the clients have no message, only a class. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.message === '' ? error.constructor.name : error.message
}

/** The word that says what went wrong; Redis 6 wraps that of a command inside a script. */
function wordOf(message: string): string {
  const inside = /^ERR Error running script .*?-([A-Z]+) /.exec(message)
  return inside?.[1] ?? /^[A-Z]+/.exec(message)?.[0] ?? ''
}
