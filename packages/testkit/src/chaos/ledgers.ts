import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Deed, LedgerLine } from './ledger.js'

/** An operation, by all that its process was told. */
export interface Operation {
  readonly id: string
  readonly deed: Deed
  readonly key: string
  /** Empty for a record. */
  readonly sort: string
  /** By the machine's clock. */
  readonly beganMs: number
  /** By the machine's clock; infinite when the process was killed first. */
  readonly endedMs: number
  readonly outcome: 'acknowledged' | 'rejected' | 'unknown' | 'unfinished'
}

/** A read of a record. */
export interface CountedRead {
  readonly key: string
  readonly beganMs: number
  readonly endedMs: number
  readonly count: number
}

/** A change of a route, as some process saw it. */
export interface RouteChange {
  readonly key: string
  readonly phase: string
  readonly read: number
  readonly write: number
  readonly revision: number
}

/** What all processes of a run have written down. */
export interface Ledgers {
  /** In the order in which each process began them. */
  readonly operations: readonly Operation[]
  readonly reads: readonly CountedRead[]
  /** What a process found to be wrong itself. */
  readonly wrong: readonly string[]
  /** By key and revision; each once. */
  readonly routes: ReadonlyMap<string, ReadonlyMap<number, RouteChange>>
  /** Other things that happened, and how often. */
  readonly events: ReadonlyMap<string, number>
}

/** The file names of ledgers end so. */
export const ledgerSuffix = '.ledger'

/** Reads all ledgers in a folder. A line that a killed process did not end is left out. */
export function readLedgers(folder: string): Ledgers {
  const gathered = new Gathered()
  for (const name of readdirSync(folder).toSorted()) {
    if (!name.endsWith(ledgerSuffix)) continue
    const lines = readFileSync(join(folder, name), 'utf8').split('\n')
    for (const text of lines.slice(0, -1)) gathered.add(JSON.parse(text) as LedgerLine, name)
  }
  return gathered.all()
}

class Gathered {
  readonly #operations = new Map<string, Operation>()
  readonly #reads: CountedRead[] = []
  readonly #wrong: string[] = []
  readonly #routes = new Map<string, Map<number, RouteChange>>()
  readonly #events = new Map<string, number>()

  add(line: LedgerLine, name: string): void {
    const [mark, ms] = line
    switch (mark) {
      case 'began': {
        const [, , id, deed, key, sort] = line
        const outcome = 'unfinished'
        this.#operations.set(id, { id, deed, key, sort, beganMs: ms, endedMs: Infinity, outcome })
        break
      }
      case 'acknowledged':
      case 'rejected':
      case 'unknown': {
        const operation = this.#operations.get(line[2])
        if (operation === undefined) throw new Error(`${name}: ${line[2]} ends without having begun`)
        this.#operations.set(operation.id, { ...operation, endedMs: ms, outcome: mark })
        if (mark === 'rejected') this.#count(`rejected: ${line[3]}`)
        break
      }
      case 'read': {
        const [, , key, beganMs, count] = line
        this.#reads.push({ key, beganMs, endedMs: ms, count })
        break
      }
      case 'wrong':
        this.#wrong.push(`${name} at ${ms}: ${line[2]}`)
        break
      case 'route':
        this.#addRoute(line)
        break
      case 'failed':
        this.#count(`failed ${line[2]}: ${line[3]}`)
        break
      case 'event':
        this.#count(line[2])
        break
      default:
        mark satisfies never
    }
  }

  all(): Ledgers {
    const operations = [...this.#operations.values()]
    return { operations, reads: this.#reads, wrong: this.#wrong, routes: this.#routes, events: this.#events }
  }

  #addRoute([, , key, phase, read, write, revision]: Extract<LedgerLine, readonly ['route', ...unknown[]]>): void {
    const known = this.#routes.get(key) ?? new Map<number, RouteChange>()
    this.#routes.set(key, known.set(revision, { key, phase, read, write, revision }))
  }

  #count(what: string): void {
    this.#events.set(what, (this.#events.get(what) ?? 0) + 1)
  }
}

/** How often routes have grown, and how often they have shrunk. */
export function routeSteps({ routes }: Ledgers): { readonly growthCount: number; readonly drainCount: number } {
  let [growthCount, drainCount] = [0, 0]
  for (const changes of routes.values()) {
    const inOrder = [...changes.values()].toSorted((a, b) => a.revision - b.revision)
    let announced = 0
    for (const { phase, write } of inOrder) {
      if (phase === 'announced') announced = write
      else if (phase === 'active' && announced > 0 && write > announced) growthCount += 1
      else if (phase === 'settled') drainCount += 1
      if (phase !== 'announced') announced = 0
    }
  }
  return { growthCount, drainCount }
}
