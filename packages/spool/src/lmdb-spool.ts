// Problem: what is promised to be on disk must be there after any crash, and a disk that is full, foreign or damaged must be told
//   from an empty one.
// Scheme: one table of LMDB, in which an entry's number is its key; format and owner stand beside them. Commits run in LMDB's own
//   thread and sync before they resolve.
// Invariants: nothing is read before the spool is this client's alone; an entry is given back as it was written or not at all.
// Cost: one sync of the data and one of a page a commit.
// Source: lmdb.tech/doc; github.com/kriszyp/lmdb-js.

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'

import { isSpillwayError, type Spool, type SpoolBatch, type SpoolEntry, SpoolError } from '@spillway/core'
import { open, type RootDatabase, type RootDatabaseOptionsWithPath } from 'lmdb'

import { sealed, unsealed } from './checksum.js'
import { checkDataFile } from './data-file.js'
import { DiskRoom, type TableStats } from './disk-room.js'
import { type Ownership, takeOwnership } from './owner.js'

/** The layout of the table; the entries' own format is the core's. */
const format = 'spillway-spool 1'
const formatKey = 'format'
const ownerKey = 'owner'
/** LMDB's own errors, for what it finds in its file, are numbered from here downwards; those above are the system's. */
const lmdbCodesMax = -30_700

type Table = RootDatabase<string, string | number>

/** A spool in one file of LMDB. */
export class LmdbSpool implements Spool {
  readonly bytesMax: number
  readonly #folder: string
  #table: Table | undefined
  #room: DiskRoom | undefined
  #ownership: Ownership | undefined

  constructor(folder: string, bytesMax: number) {
    this.#folder = folder
    this.bytesMax = bytesMax
  }

  async open(): Promise<readonly SpoolEntry[]> {
    try {
      await mkdir(this.#folder, { recursive: true })
      const file = join(this.#folder, 'spool.mdb')
      checkDataFile(file)
      const options: RootDatabaseOptionsWithPath & { readonly eventTurnBatching: boolean } = {
        path: file,
        noSubdir: true,
        encoding: 'string',
        // A commit resolves when it is on disk, not when it can be seen.
        overlappingSync: false,
        // Batches are made by the core; with LMDB's own, a commit that fails leaves a rejection behind that nobody can handle.
        eventTurnBatching: false,
        cache: false,
      }
      const table: Table = open(options)
      this.#table = table
      const room = new DiskRoom(file)
      this.#room = room
      room.requireAny()
      this.#requireFormat(table)
      this.#ownership = await takeOwnership(this.#folder, {
        read: () => this.#fresh(table).get(ownerKey),
        swap: (expected, next) => {
          room.requireAny()
          return swap(table, expected, next)
        },
      })
      return this.#entriesOf(table)
    } catch (error) {
      await this.close()
      throw this.#told(error)
    }
  }

  async commit(batch: SpoolBatch): Promise<void> {
    const [table, room] = [this.#table, this.#room]
    if (table === undefined || room === undefined) throw new SpoolError('failed', 'The spool is not open.')
    room.require(batch, table.getStats() as TableStats)
    const puts = batch.put.map(({ id, text }) => [id, sealed(text)] as const)
    await commit(table, puts, batch.remove)
  }

  async close(): Promise<void> {
    const [table, ownership] = [this.#table, this.#ownership]
    this.#table = undefined
    this.#ownership = undefined
    try {
      await ownership?.release()
    } finally {
      await table?.close()
    }
  }

  /** Marks an empty table as a spool, and refuses what is none. */
  #requireFormat(table: Table): void {
    const found = table.transactionSync(() => {
      if (table.getCount({ limit: 1 }) === 0) table.putSync(formatKey, format)
      return table.get(formatKey)
    })
    if (found === format) return
    const what =
      found === undefined ? 'a database of something else' : `a spool of another version of Spillway (${found})`
    throw new SpoolError(
      'foreign',
      `${this.#folder} holds ${what}. It was left as it is: give the spool a folder of its own.`,
    )
  }

  #entriesOf(table: Table): readonly SpoolEntry[] {
    const entries: SpoolEntry[] = []
    for (const { key, value } of this.#fresh(table).getRange()) {
      if (typeof key === 'number') entries.push({ id: key, text: unsealed(this.#folder, key, value) })
    }
    return entries
  }

  /** Another process may have written since this one looked. */
  #fresh(table: Table): Table {
    table.resetReadTxn()
    return table
  }

  #told(error: unknown): unknown {
    if (isSpillwayError(error) || !(error instanceof Error)) return error
    if ('code' in error && typeof error.code === 'number' && error.code <= lmdbCodesMax)
      return this.#damaged(error.message, error)
    const message = `The spool in ${this.#folder} could not be opened: ${error.message}`
    return new SpoolError('failed', message, { cause: error })
  }

  #damaged(why: string, cause?: unknown): SpoolError {
    const advice = 'Nothing was written to the backend. Keep a copy of the folder, and start on an empty one.'
    return new SpoolError('damaged', `The spool in ${this.#folder} cannot be read: ${why}. ${advice}`, { cause })
  }
}

function swap(table: Table, expected: string | undefined, next: string | undefined): boolean {
  return table.transactionSync(() => {
    if (table.get(ownerKey) !== expected) return false
    if (next === undefined) table.removeSync(ownerKey)
    else table.putSync(ownerKey, next)
    return true
  })
}

/** All in one transaction. LMDB gives each write a promise of its own, and the reason of a failure by yet another. */
async function commit(
  table: Table,
  puts: readonly (readonly [string | number, string])[],
  removed: readonly number[],
): Promise<void> {
  const written: Promise<unknown>[] = []
  const batch = table.batch(() => {
    for (const [key, value] of puts) written.push(table.put(key, value))
    for (const id of removed) written.push(table.remove(id))
  })
  const [outcome] = await Promise.allSettled([batch, ...written])
  if (outcome.status === 'fulfilled') return
  const { commitError } = outcome.reason as { readonly commitError?: Promise<never> }
  throw await Promise.resolve(commitError).then(
    () => outcome.reason as Error,
    (reason: unknown) => reason,
  )
}
