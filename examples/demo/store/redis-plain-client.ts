import { BackendError } from '@spillway/core'

import type { UserChange, UserTotals } from '../record.js'
import type { Place, PlainClient } from './demo-store.js'
import type { RedisConnection } from './redis-connection.js'
import type { StoreCounts } from './store-counts.js'
import { storedFields, totalsOfParts, type StoredPart } from './stored-part.js'

/**
 * One script a line: `HINCRBY` for the sums, and the last edit if it is newer. Nothing in it tells a repetition.
 * ARGV: edits, bytes, time, time of the page, its line, the page; empty for what there is not.
 */
const updateScript = `
local key = KEYS[1]
redis.call('HINCRBY', key, 'edits', ARGV[1])
if ARGV[2] ~= '' then redis.call('HINCRBY', key, 'bytes', ARGV[2]) end
local last = redis.call('HMGET', key, 'lastEditMs', 'pageMs', 'pageLine')
if ARGV[3] ~= '' and not (last[1] and tonumber(last[1]) >= tonumber(ARGV[3])) then
  redis.call('HSET', key, 'lastEditMs', ARGV[3])
end
if ARGV[4] == '' then return end
local pageMs, pageLine = tonumber(last[2] or '-1'), tonumber(last[3] or '-1')
if pageMs > tonumber(ARGV[4]) or (pageMs == tonumber(ARGV[4]) and pageLine >= tonumber(ARGV[5])) then return end
redis.call('HSET', key, 'pageMs', ARGV[4], 'pageLine', ARGV[5], 'page', ARGV[6])
`

/** What `defineCommand` adds to a client. */
interface WithScript {
  updateUser(...args: readonly (string | number)[]): Promise<unknown>
}

/** ioredis as it is by default: it sends again by itself what it had sent when a connection was lost. */
export class RedisPlainClient implements PlainClient {
  readonly #connection: RedisConnection
  readonly #prefix: string
  readonly #counts: StoreCounts

  constructor(connection: RedisConnection, prefix: string, counts: StoreCounts) {
    this.#connection = connection
    this.#prefix = prefix
    this.#counts = counts
    connection.defineCommand('updateUser', { numberOfKeys: 1, lua: updateScript })
  }

  async write(place: Place, { edits, bytes, lastEditMs, lastPage }: UserChange): Promise<void> {
    this.#counts.writeRequests += 1
    const page = lastPage === undefined ? ['', '', ''] : [lastPage.timeMs, lastPage.order, lastPage.value]
    const args = [this.#keyOf(place), edits, bytes ?? '', lastEditMs ?? '', ...page]
    await (this.#connection as unknown as WithScript).updateUser(...args).catch(failed)
  }

  async read(places: readonly Place[]): Promise<UserTotals> {
    this.#counts.readRequests += 1
    this.#counts.shardsRead += places.length
    const keys = places.map((place) => this.#keyOf(place))
    const found = await Promise.all(keys.map((key) => this.#connection.hmget(key, ...storedFields).catch(failed)))
    return totalsOfParts(found.map(partOf))
  }

  #keyOf({ key, index }: Place): string {
    return index === 0 ? this.#prefix + key : `${this.#prefix}${key}#${index}`
  }
}

function partOf(values: readonly (string | null)[]): StoredPart {
  return Object.fromEntries(storedFields.map((field, i) => [field, values[i] ?? undefined]))
}

/** What Redis itself refuses is a fault of the demo; anything else is of the connection, and the command may have been carried out. */
function failed(error: unknown): never {
  if (error instanceof Error && error.name === 'ReplyError') throw error
  throw new BackendError('unknown', error instanceof Error ? error.message : String(error), { cause: error })
}
