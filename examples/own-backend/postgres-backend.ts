// Problem: PostgreSQL knows none of Spillway's rules: merges, dedupe, seal and absorb have to hold in one atomic step.
// Scheme: a row a shard. Its document is loaded, changed here, and swapped if its revision is still the one that was loaded;
//   else the round is lost and starts over. Each statement commits by itself: no lock waits for a client that hangs.
// Invariants: a swap raises the revision, so one that arrives late or twice does nothing; what fails before it has done nothing.
// Cost: a write is two statements by primary key, one where it changes nothing; a read is one for all its shards.
// Source: docs/write-a-backend.md; https://www.postgresql.org/docs/current/transaction-iso.html#XACT-READ-COMMITTED

import { BackendError, directoryPlace, placeOf, reservedMark, type Backend, type FailureKind } from '@spillway/core'
import type { Absorb, AbsorbedShard, Field, ShardContents, ShardRef, ShardWrite, WriteAnswer } from '@spillway/core'

/** What is needed of a client that reaches the primary; each statement commits by itself. `pg.Pool` and PGlite fit. */
export type PostgresClient = { query(sql: string, values: unknown[]): Promise<{ readonly rows: readonly Row[] }> }
type Row = { readonly version: string | null; readonly document: string | null }

/** What a failure means, by SQLSTATE or by Node's code; any other is unknown. README.md has the reasons. */
const kinds: readonly (readonly [RegExp, FailureKind])[] = [
  [/^(25|40(?!003)|55|57014|57P03|ECONNREFUSED|ENOTFOUND)/, 'unavailable'],
  [/^(22|23|28|3D|3F|42|54)/, 'invalid'],
  [/^53/, 'throttled'],
]
/** The statement that makes the table, for a migration. */
export const tableSql = `CREATE TABLE IF NOT EXISTS spillway (place bytea PRIMARY KEY, revision bigint NOT NULL,
  document text NOT NULL, touched_at timestamptz NOT NULL DEFAULT now()) WITH (fillfactor = 50)`
const loadSql = `SELECT revision::text AS version, document FROM unnest($1::bytea[]) WITH ORDINALITY AS asked (place, nth)
  LEFT JOIN spillway USING (place) ORDER BY nth`
const insertSql = `INSERT INTO spillway VALUES ($1, 1, $2) ON CONFLICT DO NOTHING RETURNING revision::text AS version`
const updateSql = `UPDATE spillway SET revision = revision + 1, document = $2, touched_at = now()
  WHERE place = $1 AND revision = $3 RETURNING revision::text AS version`

/** Records in the table that {@link tableSql} makes. */
export function postgres(client: PostgresClient): Backend {
  async function run(sql: string, values: unknown[], otherwise: FailureKind): Promise<readonly Row[]> {
    try {
      return (await client.query(sql, values)).rows
    } catch (error) {
      const { code = '', message } = error as { code?: string; message?: string }
      const kind = kinds.find(([codes]) => codes.test(code))?.[1] ?? otherwise
      const throttle = kind === 'throttled' && { throttle: { reason: code, scope: 'other' as const } }
      throw new BackendError(kind, `PostgreSQL failed (${code}): ${message}`, { cause: error, ...throttle })
    }
  }
  const load = (places: readonly string[]) => run(loadSql, [places.map((place) => Buffer.from(place))], 'unavailable')
  async function swap(place: string, version: string | null | undefined, document: string) {
    const values = [Buffer.from(place), document]
    const [row] = await (version ? run(updateSql, [...values, version], 'unknown') : run(insertSql, values, 'unknown'))
    return row?.version ?? undefined
  }
  async function change<T>(ref: ShardRef, apply: (shard: Shard) => T): Promise<T> {
    for (let round = 0; round < 128; round++) {
      const [{ version, document }] = (await load([placeOf(ref)])) as [Row]
      const [answer, next] = changed(document, apply)
      if (next === document || (await swap(placeOf(ref), version, next)) !== undefined) return answer
    } // other writers won each round: too many for one row
    throw new BackendError('throttled', 'Lost 128 rounds.', { throttle: { reason: 'LostRounds', scope: 'key-range' } })
  }
  return {
    name: 'postgres',
    capabilities: {
      keyBytesMax: 2_048, // with a shard's suffix, below the 2,704 bytes of an index entry (access/nbtree.h)
      changeBytesMax: 1_048_576, // PostgreSQL would take 1 GB, but the whole document is written every time
      shardsPerReadMax: 256,
      integerMax: 10n ** 38n - 1n, // as DynamoDB, so that what works here works there
      reservedMark,
      partition: { writeUnitsPerSecond: 500, readUnitsPerSecond: 5_000 }, // statements on one row: README.md
    },
    directory: {
      async read() {
        const [{ version, document }] = (await load([directoryPlace])) as [Row]
        return { version: version ?? undefined, text: document ? (JSON.parse(document) as string) : undefined }
      },
      swap: (expected, text) => swap(directoryPlace, expected, JSON.stringify(text)),
    },
    records: {
      write: (asked) => change(asked.shard, (shard) => write(shard, asked)),
      async read({ shards, fields }) {
        const contents = async ({ document }: Row) => changed(document, (shard) => contentsOf(shard, fields))[0]
        return Promise.all((await load(shards.map(placeOf))).map((row) => contents(row).catch(failure)))
      },
      seal: (ref, fields) => change(ref, (shard) => seal(shard, fields)),
      absorb: (asked) => change(asked.target, (shard) => absorb(shard, asked)),
      clear: (ref) => change(ref, clear),
    },
  }
}

/** What a row stores, as JSON. Names stand behind a dot, for a field or a writer may be called `__proto__`. */
interface Shard {
  fields: Record<string, [kind: string, state: string]>
  last: Record<string, number>
  absorbed: Record<number, AbsorbedShard>
  forgottenUpTo: number
  isSealed: boolean
}
const unwritten = '{"fields":{},"last":{},"absorbed":{},"forgottenUpTo":-1,"isSealed":false}'
/** What `apply` answers, and the document that it leaves. Nothing is stored yet, so what throws has done nothing. */
function changed<T>(document: string | null, apply: (shard: Shard) => T): [T, string] {
  try {
    const shard = JSON.parse(document ?? unwritten) as Shard
    return [apply(shard), JSON.stringify(shard)]
  } catch (error) {
    throw error instanceof BackendError ? error : new BackendError('invalid', 'Cannot be merged.', { cause: error })
  }
}

/** Dedupe comes before the seal: who is told «sealed» writes elsewhere, so it must mean that the change is not in. */
function write(shard: Shard, { changes, stamp }: ShardWrite): WriteAnswer {
  const { last, forgottenUpTo } = shard
  if (stamp && stamp.sequence <= (last[`.${stamp.writer}`] ?? forgottenUpTo))
    return `.${stamp.writer}` in last ? { status: 'done' } : { status: 'expired', forgottenUpTo }
  if (shard.isSealed) return { status: 'sealed' }
  for (const change of changes) merge(shard, change, change.state)
  if (!stamp) return { status: 'done' }
  shard.forgottenUpTo = Math.max(forgottenUpTo, stamp.forgetUpTo) // a copy that comes later than that is told «expired»
  shard.last = Object.fromEntries(Object.entries(last).filter(([, sequence]) => sequence > shard.forgottenUpTo))
  shard.last[`.${stamp.writer}`] = stamp.sequence
  return { status: 'done' }
}

function merge(shard: Shard, { name, rule }: Field, state: unknown): void {
  const stored = stateOf(shard, { name, rule })
  shard.fields[`.${name}`] = [rule.kind, rule.encode(stored === undefined ? state : rule.merge(stored, state))]
}

function stateOf({ fields }: Shard, { name, rule }: Field): unknown {
  const [kind, text] = fields[`.${name}`] ?? [rule.kind]
  if (kind === rule.kind) return text === undefined ? undefined : rule.decode(text)
  throw new BackendError('invalid', `Field ${JSON.stringify(name)} is stored as ${kind}, not as ${rule.kind}.`)
}

function contentsOf(shard: Shard, fields: readonly Field[]): ShardContents {
  const states = fields.map((field) => stateOf(shard, field))
  return { status: 'read', states, absorbed: Object.values(shard.absorbed) }
}
const failure = (error: unknown) => ({ status: 'failed', error }) as const

/** Tells of the fields that nobody asked for: who is told of any does not absorb the shard, or they would be lost. */
function seal(shard: Shard, fields: readonly Field[]): ShardContents {
  shard.isSealed = true
  const asked = new Set(fields.map(({ name }) => `.${name}`))
  const others = Object.keys(shard.fields).filter((name) => !asked.has(name))
  return { ...contentsOf(shard, fields), otherFields: others.map((name) => name.slice(1)) }
}

function absorb(shard: Shard, { source, contents, fields }: Absorb): void {
  const own = { index: source.index, generation: source.generation.number }
  const isIn = ({ index, generation }: AbsorbedShard) => (shard.absorbed[index]?.generation ?? -1) >= generation
  if (isIn(own)) return
  if (shard.isSealed) throw new BackendError('invalid', 'A sealed shard takes in nothing.')
  for (const [i, field] of fields.entries())
    if (contents.states[i] !== undefined) merge(shard, field, contents.states[i])
  for (const entry of [...(contents.absorbed ?? []), own]) if (!isIn(entry)) shard.absorbed[entry.index] = entry
}

function clear(shard: Shard): 'stays' {
  if (!shard.isSealed) throw new BackendError('rejected', 'Only a sealed shard is cleared, and this one is not.')
  shard.fields = {}
  return 'stays'
}
