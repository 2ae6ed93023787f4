// Problem: what a failed command means for the data is hidden in words, and a client that sends again by itself makes even a
//   clear «no» doubtful.
// Scheme: one table from the first word of Redis's answer to what it means; then one from what the clients say. Whatever is in
//   neither is «unknown» for a write.
// Invariants: a write is called anything but «unknown» only when no copy of it can have been carried out: Redis refused it, and
//   no connection was lost meanwhile after which the client may have sent it a second time; or it never left the process.
// Cost: only failures come here.
// Source: redis.io/docs/latest/develop/reference/protocol-spec and cluster-spec; src/server.c and src/script.c of Redis 7.0;
//   ioredis 5.11 and 6.0; node-redis 5.12 and 6.3.

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
  ['NOREPLICAS', { kind: 'unavailable' }],
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

/** What clients say of commands that they have not sent. */
const unsent = [
  /enableOfflineQueue options is false/, // ioredis: "Stream isn't writeable and …", "Cluster isn't ready and …"
  /^The client is (closed|offline)$/, // node-redis
  /^All keys in the pipeline should belong to the same slots allocation group/, // ioredis
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

/** The failure of a command that changes nothing. */
export function readFailure(error: unknown): BackendError {
  if (isBackendError(error)) return error
  const message = messageOf(error)
  const meaning = answers.get(wordOf(message))
  if (meaning !== undefined) return made(meaning.kind, message, meaning.advice, error)
  if (message.startsWith('ERR unknown command')) return made('invalid', message, 'Redis 6.2 or later is needed.', error)
  return made('unavailable', message, undefined, error)
}

/** The failure of a command that changes something. `mayBeCopied`: a connection was lost while it was under way. */
export function writeFailure(error: unknown, mayBeCopied: boolean): BackendError {
  if (isBackendError(error)) return error
  const message = messageOf(error)
  const own = /^SPILLWAY (.*?)( script: .*)?$/.exec(message)
  // A script of ours refuses after the dedupe check, so no earlier copy is in either.
  if (own !== null) return new BackendError('invalid', own[1] as string, { cause: error })
  const meaning = answers.get(wordOf(message))
  if (mayBeCopied) return made('unknown', message, meaning?.advice, error)
  if (meaning !== undefined) return made(meaning.kind, message, meaning.advice, error)
  if (unsent.some((pattern) => pattern.test(message))) return made('unavailable', message, undefined, error)
  const last = /^Too many Cluster redirections\. Last error: (?:ReplyError|Error|SimpleError): (.*)/.exec(message)
  if (last !== null && answers.has(wordOf(last[1] as string))) return made('unavailable', message, undefined, error)
  if (message.startsWith('ERR unknown command')) return made('invalid', message, 'Redis 6.2 or later is needed.', error)
  if (message.startsWith('ERR max number of clients')) return made('unavailable', message, undefined, error)
  return made('unknown', message, undefined, error)
}

function made(kind: FailureKind, message: string, advice: string | undefined, cause: unknown): BackendError {
  return new BackendError(kind, `Redis: ${message}${advice === undefined ? '' : ` ${advice}`}`, { cause })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The word that says what went wrong; Redis 6 wraps that of a command inside a script. */
function wordOf(message: string): string {
  const inside = /^ERR Error running script .*?-([A-Z]+) /.exec(message)
  return inside?.[1] ?? /^[A-Z]+/.exec(message)?.[0] ?? ''
}
