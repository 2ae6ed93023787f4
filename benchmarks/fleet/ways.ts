import {
  type Backend,
  type Clock,
  createClient,
  isBackendError,
  ownGeneration,
  type Random,
  type RecordOptions,
  type Records,
  type ShardRef,
  sum,
} from '@spillway/core'

/** What stands for a fleet's processes. */
export interface Site {
  readonly clock: Clock
  readonly random: Random
  readonly backend: Backend
  readonly processCount: number
}

/** What the processes do, once they are up. */
export interface Drivers {
  /** Adds one to a key. */
  write(process: number, key: string): Promise<unknown>
  /** The number under a key. */
  read(process: number, key: string): Promise<number>
}

/** One way for a fleet to write and read. */
export interface Way {
  readonly name: string
  /** Whether anything differs with the number of processes. */
  readonly hasProcesses: boolean
  /** Whether the processes' reports of heat reach the store. */
  readonly keepsReports: boolean
  /** Has the processes start; they are up three seconds later. */
  start(site: Site): Drivers
}

const rules = { n: sum() }
const change = [{ name: 'n', rule: rules.n, state: 1 }]
const fields = [{ name: 'n', rule: rules.n }]

/** How many suffixes every key has in the second way. */
const suffixCount = 8

/** As AWS's SDKs do by default, for DynamoDB: docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html. */
const attemptsMax = 3
const delayBaseMs = 25

/** How long keys must be cool to be merged back: less than the default of a minute, so that it is seen within a short run. */
export const coolMs = 10_000

/** How often a process decides what is hot: rarer than the default of 50 ms, since a single core has all processes. */
const tickMs = 250

/** Memory of a process's tables: less than the default of 64 KB, since one machine has all processes. */
const tableBytes = 8_192

/** From so many processes on the directory is kept in eight places. */
const manyProcesses = 2_000

/** In how many places the directory of a fleet is kept. */
function directoryCopiesOf(processCount: number): number {
  return processCount >= manyProcesses ? 8 : 1
}

/** The fleet's Spillway, with the cheapest writes. */
const fleetWay = spillway('Spillway', { dedupe: false }, true)

/** The ways, the first of which is the baseline; none of them keeps a write from counting twice when its answer is lost. */
export const ways: readonly Way[] = [
  byHand('plain', 1),
  byHand(`${suffixCount} suffixes`, suffixCount),
  spillway('Spillway, each process alone', { dedupe: false }, false),
  fleetWay,
]

/** What it costs that every write counts once. */
export const exactWays: readonly Way[] = [fleetWay, spillway('Spillway, dedupe: true', { dedupe: true }, true)]

/** Every key has so many places; a write goes to one of them, a read to all of them. */
function byHand(name: string, placeCount: number): Way {
  const { signal } = new AbortController()
  return {
    name,
    hasProcesses: false,
    keepsReports: true,
    start({ clock, random, backend: { records } }) {
      const send = async <T>(request: () => Promise<T>): Promise<T> => {
        for (let attempt = 1; ; attempt++) {
          try {
            return await request()
          } catch (error) {
            if (!isBackendError(error) || error.kind !== 'throttled' || attempt === attemptsMax) throw error
            const delayMs = random.next() * delayBaseMs * 2 ** (attempt - 1)
            await new Promise<void>((resolve) => clock.setTimer(resolve, delayMs))
          }
        }
      }
      const readOf = async (shards: readonly ShardRef[]) => {
        const answers = await records.read({ shards, fields, consistency: 'strong' }, { signal })
        return answers.reduce((total, answer) => {
          if (answer.status === 'failed') throw answer.error as Error
          return total + Number(answer.states[0] ?? 0)
        }, 0)
      }
      return {
        write: (_, key) => {
          const shard = placeOf(key, Math.floor(random.next() * placeCount))
          return send(() => records.write({ shard, changes: change, stamp: undefined }, { signal }))
        },
        read: (_, key) => send(() => readOf(Array.from({ length: placeCount }, (__, index) => placeOf(key, index)))),
      }
    },
  }
}

function placeOf(key: string, index: number): ShardRef {
  return { key, index, generation: ownGeneration }
}

/** A client for each process, with default options but for those that are named here. */
function spillway(name: string, recordOptions: RecordOptions, isFleet: boolean): Way {
  return {
    name,
    hasProcesses: true,
    keepsReports: isFleet,
    start(site) {
      const counters: Records<typeof rules>[] = []
      const startOne = async (process: number) => {
        const client = await createClient(optionsOf(site, isFleet))
        counters[process] = client.records('counter', rules, recordOptions)
      }
      for (let process = 0; process < site.processCount; process++)
        site.clock.setTimer(() => void startOne(process), site.random.next() * startMs)
      const recordsOf = (process: number) => {
        const counter = counters[process]
        if (counter === undefined) throw new Error(`process ${process} is not up`)
        return counter
      }
      return {
        write: (process, key) => recordsOf(process).write(key, { n: 1 }),
        read: async (process, key) => (await recordsOf(process).read(key)).n,
      }
    },
  }
}

/** Processes start one after the other within so much time. */
const startMs = 2_000

function optionsOf({ clock, random, backend, processCount }: Site, isFleet: boolean) {
  return {
    backend,
    clock,
    random,
    detection: { tickMs, bytesMax: tableBytes },
    routing: { directoryCopies: directoryCopiesOf(processCount) },
    // A leader that is told nothing would take every key for cold: then nothing is merged back.
    sharding: { coolMs: isFleet ? coolMs : 86_400_000 },
  }
}
