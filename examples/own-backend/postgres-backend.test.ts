import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import {
  createClient,
  isBackendError,
  max,
  ownGeneration,
  placeOf,
  sequenceAt,
  sum,
  type BackendError,
  type Call,
  type Field,
  type ShardRef,
} from '@spillway/core'
import { seededRandom } from '@spillway/core/testing'
import { Pool } from 'pg'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'

import { connect } from './connect.js'
import { postgres, type PostgresClient } from './postgres-backend.js'
import { UnreliableClient } from './unreliable-client.js'

/** A server to try, too: none, unless one is named. */
const servers = [process.env['DATABASE_URL']].filter((url) => url !== undefined && url !== '')
const connection = await connect(servers[0])
afterAll(() => connection.close())

const inner = connection.client
const client = new UnreliableClient(inner)
const { capabilities, directory, records } = postgres(client)
beforeEach(() => inner.query('TRUNCATE spillway', []))

const total: Field = { name: 'total', rule: sum() }
const call: Call = { signal: new AbortController().signal }
const key: ShardRef = { key: 'k', index: 0, generation: ownGeneration }
const shard: ShardRef = { key: 'k', index: 1, generation: { number: 7, nonce: 1 } }

const write = (to: ShardRef, state: number, nth: number) =>
  records.write({ shard: to, changes: [{ ...total, state }], stamp: stampOf(nth) }, call)
const stampOf = (nth: number) => ({ writer: 'w', sequence: sequenceAt(1_000) + nth, forgetUpTo: 0 })
const seal = (what: ShardRef) => records.seal(what, [total], call)
const absorb = (state: number) =>
  records.absorb({ target: key, source: shard, contents: { status: 'read', states: [state] }, fields: [total] }, call)

async function totalOf(what: ShardRef): Promise<unknown> {
  const [answer] = await records.read({ shards: [what], fields: [total], consistency: 'strong' }, call)
  return answer?.status === 'read' ? answer.states[0] : answer
}

async function failureOf(request: Promise<unknown>): Promise<BackendError> {
  const error: unknown = await request.then(
    (answer) => answer,
    (reason: unknown) => reason,
  )
  if (!isBackendError(error)) throw new Error('Expected a BackendError.', { cause: error })
  return error
}

/** A backend whose swaps, or whose every statement, fail with this code before anything is done. */
function failing(code: string | undefined, isLoadFailing: boolean) {
  const query: PostgresClient['query'] = (sql, values) =>
    isLoadFailing || !sql.startsWith('SELECT')
      ? Promise.reject(Object.assign(new Error('no'), { code }))
      : inner.query(sql, values)
  return postgres({ query }).records
}

/** The places of a key and its shards. */
async function placesOf(): Promise<readonly unknown[]> {
  const sql = `SELECT convert_from(place, 'UTF8') AS document, NULL AS version FROM spillway WHERE place >= 'f' ORDER BY place`
  return (await inner.query(sql, [])).rows.map(({ document }) => document)
}

/** A client whose table is not there. */
const lostClient: PostgresClient = {
  query: (sql, values) => inner.query(sql.replace('spillway', 'nowhere'), values),
}

/** A client all of whose rounds are won by another. */
const losingClient: PostgresClient = {
  query: async (sql, values) => (sql.startsWith('SELECT') ? inner.query(sql, values) : { rows: [] }),
}

test('the adapter has at most 160 lines, comments included', () => {
  const lines = readFileSync(join(import.meta.dirname, 'postgres-backend.ts'), 'utf8')
    .trimEnd()
    .split('\n')
  expect(lines.length).toBeLessThanOrEqual(160)
})

describe('what a failure means', () => {
  const requests: readonly (readonly [string, () => Promise<unknown>, () => Promise<unknown>])[] = [
    ['a write', () => write(key, 5, 1), () => totalOf(key)],
    ['an absorb', () => absorb(5), () => totalOf(key)],
    ['a seal', () => seal(shard), async () => ((await write(shard, 1, 2)).status === 'sealed' ? 5 : 0)],
    [
      'a swap',
      () => directory.swap(undefined, 'five', call),
      async () => ((await directory.read(call)).text === 'five' ? 5 : 0),
    ],
  ]

  for (const [name, request, effect] of requests) {
    const isSwap = name === 'a swap'

    test(`${name} whose answer was lost is «unknown», and counts once when it is sent again`, async () => {
      const end = client.begin('mute', { passed: isSwap ? 0 : 1 })
      expect((await failureOf(request())).kind).toBe('unknown')
      end()
      expect(await effect()).toBe(5)
      await request()
      expect(await effect()).toBe(5)
    })

    test(`${name} that the server refused at its last step is «throttled», and has done nothing`, async () => {
      const end = client.begin('full', { passed: isSwap ? 0 : 1 })
      expect((await failureOf(request())).kind).toBe('throttled')
      end()
      expect([0, undefined]).toContain(await effect())
    })
  }

  test('a clear whose answer was lost is «unknown», and may be repeated', async () => {
    await write(shard, 5, 1)
    await seal(shard)
    const end = client.begin('mute', { passed: 1 })
    expect((await failureOf(records.clear(shard, 1, call))).kind).toBe('unknown')
    end()
    expect(await records.clear(shard, 1, call)).toBe('stays')
    expect(await totalOf(shard)).toBe(undefined)
  })

  const meanings = [
    ['40001', 'unavailable', 'serialization_failure: rolled back'],
    ['40P01', 'unavailable', 'deadlock_detected: rolled back'],
    ['40003', 'unknown', 'statement_completion_unknown'],
    ['55P03', 'unavailable', 'lock_not_available: rolled back'],
    ['25006', 'unavailable', 'read_only_sql_transaction: a standby'],
    ['57014', 'unavailable', 'query_canceled, by statement_timeout: rolled back'],
    ['57P01', 'unknown', 'admin_shutdown, which may come while a commit waits for its standby'],
    ['57P03', 'unavailable', 'cannot_connect_now: never begun'],
    ['53100', 'throttled', 'disk_full: rolled back'],
    ['08006', 'unknown', 'connection_failure'],
    ['23514', 'invalid', 'check_violation'],
    ['28P01', 'invalid', 'invalid_password'],
    ['42501', 'invalid', 'insufficient_privilege'],
    ['XX000', 'unknown', 'internal_error'],
    ['ECONNREFUSED', 'unavailable', 'never sent'],
    ['ECONNRESET', 'unknown', 'the connection broke'],
    [undefined, 'unknown', 'whatever has no code'],
  ] as const
  for (const [code, kind, why] of meanings) {
    test(`a swap that fails with ${code} makes a write «${kind}»: ${why}`, async () => {
      const change = { shard: key, changes: [{ ...total, state: 1 }], stamp: undefined }
      expect((await failureOf(failing(code, false).write(change, call))).kind).toBe(kind)
    })
  }

  test('a load that fails has done nothing, whatever the reason', async () => {
    for (const code of ['08006', 'ECONNRESET', undefined])
      expect((await failureOf(failing(code, true).seal(shard, [total], call))).kind).toBe('unavailable')
  })

  test('a table that is not there is named', async () => {
    const error = await failureOf(postgres(lostClient).directory.read(call))
    expect([error.kind, error.message]).toEqual([
      'invalid',
      'PostgreSQL failed (42P01): relation "nowhere" does not exist',
    ])
  })
})

describe('what stands in the table', () => {
  test('a key of 2,048 bytes that cannot be compressed has room for its shards', async () => {
    const long = { ...shard, key: randomBytes(capabilities.keyBytesMax / 2).toString('hex'), index: 9_999 }
    expect((await write(long, 3, 1)).status).toBe('done')
    expect(await totalOf(long)).toBe(3)
  })

  test('a field that is stored by another rule is an error, not a number', async () => {
    await write(key, 3, 1)
    const highest: Field = { name: 'total', rule: max() }
    const [answer] = await records.read({ shards: [key], fields: [highest], consistency: 'strong' }, call)
    expect(answer).toMatchObject({ status: 'failed', error: { kind: 'invalid' } })
  })

  test('writers that came and went leave nothing behind once their numbers may be forgotten', async () => {
    const horizon = 10
    for (let i = 0; i < 100; i++) {
      const stamp = { writer: `writer-${i}`, sequence: i, forgetUpTo: i - horizon }
      await records.write({ shard: key, changes: [{ ...total, state: 1 }], stamp }, call)
    }
    const { rows } = await inner.query('SELECT NULL AS version, document FROM spillway', [])
    expect(rows[0]?.document?.match(/writer-/g)).toHaveLength(horizon)
  })

  test('a change that changes nothing is not written', async () => {
    const highest = { name: 'highest', rule: max(), state: 5 }
    for (let i = 0; i < 3; i++) await records.write({ shard: key, changes: [highest], stamp: undefined }, call)
    const { rows } = await inner.query('SELECT revision::text AS version, document FROM spillway', [])
    expect(rows.map(({ version }) => version)).toEqual(['1'])
  })

  test('a row that other writers win for ever is «throttled» by its key range, so that the key is spread', async () => {
    const change = { shard: key, changes: [{ ...total, state: 1 }], stamp: undefined }
    const error = await failureOf(postgres(losingClient).records.write(change, call))
    expect([error.kind, error.throttle?.scope]).toEqual(['throttled', 'key-range'])
  })

  test('the housekeeping of README.md removes what was cleared long ago, and nothing else', async () => {
    const readme = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8')
    const [, housekeeping = ''] = /```sql\n(DELETE[^`]*)```/.exec(readme) ?? []
    const others = [2, 3, 4].map((index) => ({ ...shard, index }))
    for (const [i, each] of [key, shard, ...others].entries()) await write(each, 5, i)
    for (const sealed of [shard, ...others.slice(0, 2)]) await seal(sealed)
    for (const cleared of [shard, ...others.slice(0, 1)]) await records.clear(cleared, 1, call)
    await directory.swap(undefined, 'routes', call)
    await inner.query("UPDATE spillway SET touched_at = now() - interval '3 days' WHERE place <> $1", [
      Buffer.from(placeOf(others[0] as ShardRef)),
    ])
    const countRows = async () => (await inner.query('SELECT NULL AS version, document FROM spillway', [])).rows.length
    expect(await countRows()).toBe(6)
    await inner.query(housekeeping, [])
    expect(await countRows()).toBe(5)
    expect(await totalOf(others[1] as ShardRef)).toBe(5)
  })
})

describe('two clients and a key that is declared hot', () => {
  test('the total over all shards is exact, also while answers are lost', { timeout: 60_000 }, async () => {
    const sharding = { rules: [{ match: 'front', fanout: 8 }] }
    const routing = { refreshMs: 50, leaseMs: 200 }
    const options = { backend: postgres(client), sharding, routing, collapse: { windowMs: 1 } }
    // The seeds make writer ids, and with them choose the shards: two that are not shard 0.
    const clients = await Promise.all([1, 2].map((seed) => createClient({ ...options, random: seededRandom(seed) })))
    const pages = clients.map((each) => each.records('page', { views: sum() }))
    const roundsMax = 2_000
    let rounds = 0
    while ((await placesOf()).length < 3 && rounds < roundsMax) {
      const end = client.begin('mute', { passed: rounds % 8, troubled: 1 })
      await Promise.all(pages.map((page) => page.write('front', { views: 1 })))
      end()
      rounds += 1
    }
    expect(await placesOf()).toEqual([
      'front',
      expect.stringMatching(/~spillway~/),
      expect.stringMatching(/~spillway~/),
    ])
    for (const page of pages) expect(await page.read('front')).toEqual({ views: 2 * rounds })
    for (const each of clients) await each.close()
  })
})

describe.each(servers)('the server at DATABASE_URL', (connectionString) => {
  test('cuts connections while a key is written, and the total is exact', { timeout: 60_000 }, async () => {
    const cutter = new Pool({ connectionString, max: 1 }) // on a connection of its own, which it does not cut
    const nameSql = "SELECT current_setting('application_name') AS document, NULL AS version"
    const [name] = (await inner.query(nameSql, [])).rows
    const cutSql = 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1'
    const clients = await Promise.all(Array.from({ length: 4 }, () => createClient({ backend: postgres(inner) })))
    const pages = clients.map((each) => each.records('page', { views: sum() }))
    let cutCount = 0
    for (let round = 0; round < 50; round++) {
      const writing = pages.map((page) => page.write('cold', { views: 1 }))
      cutCount += (await cutter.query(cutSql, [name?.document])).rows.length
      await Promise.all(writing)
    }
    expect(cutCount).toBeGreaterThan(50)
    expect(await pages[0]?.read('cold')).toEqual({ views: 200 })
    for (const each of clients) await each.close()
    await cutter.end()
  })
})
