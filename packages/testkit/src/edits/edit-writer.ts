// Problem: that nothing is lost or doubled while a key is spread shows only while somebody writes it, for as long as that takes.
// Scheme: a process takes its share of the log's lines. Of the early ones it stores every other one, and never again; the rest of
//   them it stores as drafts, a new one each time, until it is told that the routes have grown. Then it stores them as they are,
//   and all other lines.
// Invariants: the last put of every line is that of the edit as the log has it, and has been acknowledged.
// Cost: drafts are written as often as growth takes.
// Source: none.

import { once } from 'node:events'

import { pause } from '../time/wait.js'
import type { EditFeed } from './edit-feed.js'
import { draftOf, hottestChannel, readEdits, spreadChannels, type LoggedEdit } from './edit-log.js'

/** What a process is to do. */
export interface EditOrders {
  /** So many lines are written by all processes. */
  readonly editCount: number
  /** Lines before this one are early: every other one is stored once, the rest are drafted until the routes have grown. */
  readonly draftCount: number
  /** Which of the processes it is, from 0; every so-manieth line is its share. */
  readonly processIndex: number
  /** How many there are. */
  readonly processCount: number
  /** How it writes. */
  readonly writes: 'put' | 'putMany'
  /** It declares that the spread channels have so many shards; with 1 it declares nothing. */
  readonly fanout: number
}

/** How a process fared. */
export interface EditOutcome {
  /** Puts that were acknowledged, drafts and repetitions included. */
  readonly putCount: number
  /** Puts that failed and were made again. */
  readonly failedCount: number
  /** Of the hottest channel's puts, how many were acknowledged at each fanout that this process knew of. */
  readonly putsByFanout: Readonly<Record<number, number>>
  /** Of the hottest channel's flushes, how many went to each shard. */
  readonly flushesByShard: Readonly<Record<number, number>>
  /** Puts that were under way while the route of their channel changed. */
  readonly straddlingCount: number
}

/** What a process says, in this order but for routes. */
export type EditMessage =
  | { readonly kind: 'route'; readonly channel: string; readonly fanout: number }
  | { readonly kind: 'drafted' }
  | { readonly kind: 'done'; readonly outcome: EditOutcome }

/** What this process is to do; until it is told so it has to wait. */
export async function editOrders(): Promise<EditOrders> {
  const [orders] = (await once(process, 'message')) as [EditOrders]
  return orders
}

/** The rules that a process's orders declare. */
export function editRules({ fanout }: EditOrders): readonly { readonly match: string; readonly fanout: number }[] {
  return fanout === 1 ? [] : spreadChannels.map((match) => ({ match, fanout }))
}

const callerCount = 4
const linesPerBatchMax = 50
const attemptsMax = 5
const pauseMs = 20 // leaves some of the machine to those whose routes grow

/** One process's writing. */
export class EditWriter {
  readonly #feed: EditFeed
  readonly #orders: EditOrders
  readonly #fanouts = new Map<string, number>()
  readonly #revisions = new Map<string, number>()
  readonly #putsByFanout: Record<number, number> = {}
  readonly #flushesByShard: Record<number, number> = {}
  #putCount = 0
  #failedCount = 0
  #straddlingCount = 0

  constructor(feed: EditFeed, orders: EditOrders) {
    this.#feed = feed
    this.#orders = orders
  }

  /** To be called at each event `route-changed`. */
  routeChanged({ key, write }: { readonly key: string; readonly write: number }): void {
    if (this.#fanouts.get(key) === write) return
    this.#fanouts.set(key, write)
    this.#revisions.set(key, (this.#revisions.get(key) ?? 0) + 1)
    say({ kind: 'route', channel: key, fanout: write })
  }

  /** To be called at each event `flush`. */
  flushed({ key, shardIndex }: { readonly key: string; readonly shardIndex: number }): void {
    if (key === hottestChannel) this.#flushesByShard[shardIndex] = (this.#flushesByShard[shardIndex] ?? 0) + 1
  }

  /** Writes its share; says how that went. The next message from the parent tells it that the routes have grown. */
  async run(): Promise<void> {
    const { editCount, draftCount, processIndex, processCount } = this.#orders
    const grown = new AbortController()
    process.once('message', () => grown.abort())
    const all = await readEdits(editCount)
    const own = all.filter(({ position }) => position % processCount === processIndex)
    const early = own.filter(({ position }) => position < draftCount)
    const revised = early.filter((_, i) => i % 2 === 1)
    await this.#store(
      early.filter((_, i) => i % 2 === 0),
      true,
    )
    let draft = 1
    await this.#store(drafts(revised, draft), false)
    say({ kind: 'drafted' })
    while (!grown.signal.aborted) {
      await pause(pauseMs)
      await this.#store(drafts(revised, ++draft), false)
    }
    await this.#store(revised, false)
    await this.#store(own.slice(early.length), true)
    say({ kind: 'done', outcome: this.#outcome() })
  }

  #outcome(): EditOutcome {
    return {
      putCount: this.#putCount,
      failedCount: this.#failedCount,
      putsByFanout: this.#putsByFanout,
      flushesByShard: this.#flushesByShard,
      straddlingCount: this.#straddlingCount,
    }
  }

  async #store(lines: readonly LoggedEdit[], isOnce: boolean): Promise<void> {
    const batches = this.#orders.writes === 'put' ? lines.map((line) => [line]) : byChannel(lines)
    const left = batches.values()
    await Promise.all(
      Array.from({ length: callerCount }, async () => {
        for (const batch of left) await this.#storeBatch(batch, isOnce)
      }),
    )
  }

  /** Puts lines of one channel until all are acknowledged. */
  async #storeBatch(batch: readonly LoggedEdit[], isOnce: boolean): Promise<void> {
    let left = batch
    for (let attempt = 1; left.length > 0; attempt++) {
      const errors = await this.#attempt(left, isOnce)
      left = left.filter((_, i) => errors[i] !== undefined)
      this.#failedCount += left.length
      if (left.length > 0 && attempt === attemptsMax)
        throw new Error(`Line ${left[0]?.position} failed ${attempt} times.`, { cause: errors.find(Boolean) })
    }
  }

  async #attempt(batch: readonly LoggedEdit[], isOnce: boolean): Promise<readonly unknown[]> {
    const { channel } = (batch[0] as LoggedEdit).edit
    const before = this.#revisions.get(channel)
    const errors = await this.#send(channel, batch, isOnce)
    const doneCount = errors.filter((error) => error === undefined).length
    this.#putCount += doneCount
    if (this.#revisions.get(channel) !== before) this.#straddlingCount += doneCount
    const fanout = this.#fanouts.get(channel) ?? 1
    if (channel === hottestChannel) this.#putsByFanout[fanout] = (this.#putsByFanout[fanout] ?? 0) + doneCount
    return errors
  }

  async #send(channel: string, batch: readonly LoggedEdit[], appendOnly: boolean): Promise<readonly unknown[]> {
    if (this.#orders.writes === 'putMany') {
      const entries = batch.map(({ sort, edit }) => ({ sort, item: edit }))
      const outcomes = await this.#feed.putMany(channel, entries, { appendOnly })
      return outcomes.map((outcome) => (outcome.status === 'failed' ? outcome.error : undefined))
    }
    const { sort, edit } = batch[0] as LoggedEdit
    return this.#feed.put(channel, sort, edit).then(
      () => [undefined],
      (error: unknown) => [error],
    )
  }
}

function say(message: EditMessage): void {
  process.send?.(message)
}

function drafts(lines: readonly LoggedEdit[], draft: number): readonly LoggedEdit[] {
  return lines.map((line) => ({ ...line, edit: draftOf(line.edit, draft) }))
}

/** Lines of one channel each, in their order. */
function byChannel(lines: readonly LoggedEdit[]): readonly (readonly LoggedEdit[])[] {
  const batches: LoggedEdit[][] = []
  const open = new Map<string, LoggedEdit[]>()
  for (const line of lines) {
    let batch = open.get(line.edit.channel)
    if (batch === undefined || batch.length === linesPerBatchMax) {
      batch = []
      batches.push(batch)
      open.set(line.edit.channel, batch)
    }
    batch.push(line)
  }
  return batches
}
