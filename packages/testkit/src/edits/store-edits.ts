// Problem: a collection under a hot key is right only if several processes, which know of one another by the directory alone,
//   lose, double and disorder nothing while the key is spread under their hands.
// Scheme: three processes store the log's edits by channel without declaring anything; then one joins that declares two shards
//   for the hottest channels, and one that declares four. All write until every process knows of the last route, and store the
//   rest behind it. One reader watches meanwhile, and afterwards reads all.
// Invariants: processes are gone when this has settled.
// Cost: five processes; some seconds of growth and what the engine takes for the writes.
// Source: none.

import { waitUntil } from '../time/wait.js'
import type { EditFeed } from './edit-feed.js'
import { readEdits, spreadChannels } from './edit-log.js'
import { EditProcess } from './edit-process.js'
import { readBack, type EditReadBack } from './edit-read-back.js'
import { EditWatch, type Watched } from './edit-watch.js'
import type { EditOutcome } from './edit-writer.js'

/** How edits are stored by processes. */
export interface StoreEditsOptions {
  /** What each process runs: it gets `args`, waits for its orders and runs an `EditWriter`. */
  readonly script: string
  /** Tells the script where the engine is. */
  readonly args: readonly string[]
  /** So many lines of the log are stored. */
  readonly editCount: number
  /** The first so many of them are there before the routes begin to grow, and are written until they have grown. */
  readonly draftCount: number
  /** Reads, without faults in between. */
  readonly feed: EditFeed
  /** Each step of growth may take so long. @default 50_000 */
  readonly patienceMs?: number
}

/** What came of it. */
export interface EditReport extends EditReadBack {
  /** What is not as the log has it, while the routes grew and afterwards. */
  readonly differences: readonly string[]
  /** How often the hottest channel was read from beginning to end while the routes grew. */
  readonly readCount: number
  /** Puts that were acknowledged, drafts and repetitions included. */
  readonly putCount: number
  /** Puts that failed and were made again. */
  readonly failedCount: number
  /** Puts that were under way while the route of their channel changed in their process. */
  readonly straddlingCount: number
  /** Of each process that declared nothing, how many puts to the hottest channel were acknowledged at each fanout. */
  readonly putsByFanout: readonly Readonly<Record<number, number>>[]
  /** Of the hottest channel's flushes of all processes, how many went to each shard. */
  readonly flushesByShard: Readonly<Record<number, number>>
}

const silentCount = 3
const processCount = 5

/** Stores the first edits of the log by processes while routes grow from 1 to 2 to 4 shards, reads them back and compares them with the log. */
export async function storeEdits(options: StoreEditsOptions): Promise<EditReport> {
  const { script, args, editCount, draftCount, feed, patienceMs = 50_000 } = options
  const edits = await readEdits(editCount)
  const waiting = Array.from({ length: processCount }, () => new EditProcess(script, args))
  const processes: EditProcess[] = []
  const join = (writes: 'put' | 'putMany', fanout: number) => {
    const process = waiting[processes.length] as EditProcess
    process.join({ editCount, draftCount, processIndex: processes.length, processCount, writes, fanout })
    processes.push(process)
  }
  const outcomes = () => Promise.all(processes.map(({ outcome }) => outcome))
  const all = (what: string, isSo: (process: EditProcess) => boolean) =>
    Promise.race([waitUntil(what, () => processes.every(isSo), patienceMs), outcomes()])
  let watch: EditWatch | undefined
  try {
    for (const writes of ['put', 'put', 'putMany'] as const) join(writes, 1)
    await all('the early lines are there', ({ isDrafted }) => isDrafted)
    watch = new EditWatch(
      feed,
      edits.filter(({ position }) => position < draftCount && position % processCount < silentCount),
    )
    for (const fanout of [2, 4]) {
      join('put', fanout)
      await all(`the channels have ${fanout} shards`, ({ fanouts }) =>
        spreadChannels.every((channel) => fanouts.get(channel) === fanout),
      )
    }
    const watched = await watch.stop()
    for (const process of processes) process.goOn()
    return reportOf(await outcomes(), watched, await readBack(feed, edits))
  } finally {
    watch?.end()
    for (const process of waiting) process.kill()
  }
}

function reportOf(outcomes: readonly EditOutcome[], watched: Watched, back: EditReadBack): EditReport {
  const total = (count: (outcome: EditOutcome) => number) => outcomes.reduce((sum, outcome) => sum + count(outcome), 0)
  const flushesByShard: Record<number, number> = {}
  for (const outcome of outcomes)
    for (const [shard, count] of Object.entries(outcome.flushesByShard))
      flushesByShard[Number(shard)] = (flushesByShard[Number(shard)] ?? 0) + count
  return {
    ...back,
    differences: [...watched.differences, ...back.differences],
    readCount: watched.readCount,
    putCount: total(({ putCount }) => putCount),
    failedCount: total(({ failedCount }) => failedCount),
    straddlingCount: total(({ straddlingCount }) => straddlingCount),
    putsByFanout: outcomes.slice(0, silentCount).map(({ putsByFanout }) => putsByFanout),
    flushesByShard,
  }
}
