// Problem: Redis orders nothing by itself that has a payload, and its answers may be lost or speak of a second copy.
// Scheme: a shard is one sorted set at the shard's own key, changed and read by scripts of one key each: what holds for records
//   – redirections, slots that move, replicas that are waited for – holds for items without more ado.
// Invariants: those of the contract. A change leaves alone what has a greater stamp, so a copy of it, or it once more, is harmless.
// Cost: one request a change or page; a read of an item is one request a shard, sent together.
// Source: collection-store.ts of the core; scripts/items.ts.

import {
  BackendError,
  type CollectionLimits,
  type CollectionStore,
  type ItemAnswer,
  type ItemDeletion,
  type ItemPut,
  type ItemRead,
  type ItemWriteAnswer,
  type ShardPage,
  type ShardPageAnswer,
  type ShardRef,
  type SortValue,
} from '@spillway/core'

import { answersOf, type CommandAnswer, type RedisPort } from './client-port.js'
import { readFailure, writeFailure } from './error-table.js'
import { routeOf } from './field-state.js'
import { rangeOf, sortText, stampOf, stampText, storedItemOf, typeOf } from './item-text.js'
import type { ResolvedRedisOptions } from './options.js'
import { placeOf } from './physical-key.js'
import { runReplicated } from './replication.js'
import { changeItemScript } from './scripts/change-item.js'
import { findItemScript } from './scripts/find-item.js'
import { headOf } from './scripts/items.js'
import { pageItemsScript } from './scripts/page-items.js'

const limits: CollectionLimits = Object.freeze({
  sortTypes: Object.freeze(['string', 'number', 'bytes'] as const),
  sortBytesMax: 1_024, // Redis takes 512 MB; 1 KB is what DynamoDB takes, and bytes stand here in twice as many
  itemBytesMax: 1_048_576, // Redis takes 512 MB; a script holds up all other clients while it runs
  itemsPerPageMax: 1_000, // as many as one script should read
  itemsPerAppendMax: 1, // changes under a condition cost no more, so there is no `append`
  mayShareKeys: false, // a key of Redis is of one type
})

/** More would leave the digits that the time of a tombstone has in Redis: some thousand years. */
const retentionMsMax = 1e14

const done: ItemWriteAnswer = Object.freeze({ status: 'done' })

/** Collections in Redis. */
export class RedisCollections implements CollectionStore {
  readonly limits = limits
  readonly #port: RedisPort
  readonly #options: ResolvedRedisOptions

  constructor(port: RedisPort, options: ResolvedRedisOptions) {
    this.#port = port
    this.#options = options
  }

  async put({ shard, sort, stamp, value }: ItemPut): Promise<ItemWriteAnswer> {
    return this.#change(shard, 'put', sort, stampText(stamp), JSON.stringify(value))
  }

  async delete({ shard, sort, stamp, mode, retentionMs }: ItemDeletion): Promise<ItemWriteAnswer> {
    const stayMs = String(Math.min(Math.ceil(retentionMs), retentionMsMax))
    return this.#change(shard, mode, sort, stampText(stamp), stayMs)
  }

  async get({ shards, sort }: ItemRead): Promise<readonly ItemAnswer[]> {
    const { shardsPerReadMax } = this.#options
    if (shards.length === 0 || shards.length > shardsPerReadMax)
      throw new BackendError('invalid', `A read takes 1 to ${shardsPerReadMax} shards, but came with ${shards.length}.`)
    const args = [headOf(typeOf(sort)), sortText(sort)]
    const sent = await answersOf(shards.map((shard) => findItemScript.run(this.#port, placeOf(shard), args)))
    const answers = sent.map((answer) => contentsOf(answer, sort))
    const [first] = answers
    if (first?.status === 'failed' && answers.every(({ status }) => status === 'failed')) throw first.error
    return answers
  }

  async page({ shard, sortType, lower, upper, order, limit }: ShardPage): Promise<ShardPageAnswer> {
    if (limit < 1 || limit > limits.itemsPerPageMax)
      throw new BackendError('invalid', `A page takes 1 to ${limits.itemsPerPageMax} items, but came with ${limit}.`)
    const args = [headOf(sortType), ...rangeOf(sortType, lower, upper), order, String(limit)]
    try {
      const answer = await pageItemsScript.run(this.#port, placeOf(shard), args)
      const [route, more, members] = partsOf(answer, 3)
      if (!Array.isArray(members)) throw malformed()
      const items = members.map((member) => storedItemOf(member, sortType))
      return { items, next: more === 1 ? items.at(-1)?.sort : undefined, route: routeOf(route) }
    } catch (error) {
      throw readFailure(error)
    }
  }

  async #change(
    shard: ShardRef,
    mode: 'put' | ItemDeletion['mode'],
    sort: SortValue,
    stamp: string,
    body: string,
  ): Promise<ItemWriteAnswer> {
    const isConfirmed = this.#options.writeReplicas > 0
    const args = [mode, headOf(typeOf(sort)), sortText(sort), stamp, body, isConfirmed ? 'confirm' : '']
    const before = this.#port.resendCount()
    let answer: unknown
    try {
      answer = isConfirmed
        ? await runReplicated(
            this.#port,
            { script: changeItemScript, key: placeOf(shard), args, mustStand: () => true },
            this.#options,
          )
        : await changeItemScript.run(this.#port, placeOf(shard), args)
    } catch (error) {
      throw writeFailure(error, this.#port.resendCount() !== before)
    }
    if (answer === 'done') return done
    if (Array.isArray(answer) && answer[0] === 'done') return { status: 'done', route: routeOf(answer[1]) }
    if (Array.isArray(answer) && answer[0] === 'newer')
      return { status: 'newer', stamp: stampOf(answer[1]), route: routeOf(answer[2]) }
    throw new BackendError('unknown', 'Redis answered a change of an item in a form that is not known.')
  }
}

function contentsOf(answer: CommandAnswer, sort: SortValue): ItemAnswer {
  try {
    if (answer.status === 'failed') throw answer.error
    const [member, route] = partsOf(answer.value, 2)
    const item = member === null ? undefined : storedItemOf(member, typeOf(sort))
    return { status: 'read', item, route: routeOf(route) }
  } catch (error) {
    return { status: 'failed', error: readFailure(error) }
  }
}

function partsOf(answer: unknown, count: number): readonly unknown[] {
  if (Array.isArray(answer) && answer.length === count) return answer
  throw malformed()
}

function malformed(): BackendError {
  return new BackendError('unavailable', 'Redis answered a read of items in a form that is not known.')
}
