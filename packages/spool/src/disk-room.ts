// Problem: where the system refuses a write of LMDB's (no space is left, or a file would get too large), LMDB puts its message
//   into a buffer that may be too short for it, and the process ends.
// Scheme: before each commit the system is asked how much the file may still grow. What might need more is refused here.
// Invariants: the file may always grow by `growableBytesMin` when LMDB commits; new entries leave room for those that take the
//   place of others on their way to the backend.
// Cost: some ten microseconds a commit, beside a sync of the disk.
// Source: lmdb-js 3.5.6, dependencies/lmdb/libraries/liblmdb/mdb.c, mdb_page_flush: `last_error = malloc(100)`.

import { readFileSync, statfsSync, statSync } from 'node:fs'

import { type SpoolBatch, SpoolError } from '@spillway/core'

/** A commit writes some pages beside its entries: the way to them in the tree, and the list of free pages. */
const growableBytesMin = 131_072

/** What new entries leave free. */
const reserveBytes = 1_048_576

/** An entry takes up to a page more than its text, and so does its place in the tree. */
const bytesPerTextByte = 4

/** Longer texts need pages beside each other, which are not sure to be found among the free ones. */
const smallTextMax = 1_900

/** What LMDB tells of its file, in pages. */
export interface TableStats extends TreeStats {
  readonly pageSize: number
  readonly lastPageNumber: number
  /** The tree of free pages. */
  readonly free: TreeStats
}

interface TreeStats {
  readonly treeBranchPageCount: number
  readonly treeLeafPageCount: number
  readonly overflowPages: number
}

/** How much the spool's file may still take. */
export class DiskRoom {
  readonly #file: string
  readonly #fileBytesMax = fileBytesMax()

  constructor(file: string) {
    this.#file = file
  }

  /** Throws `SpoolError` (`failed`) when the file may not grow as much as a commit may need. */
  requireAny(): void {
    if (this.#growableBytes() < growableBytesMin) throw this.#full(growableBytesMin)
  }

  /** Throws `SpoolError` (`failed`) when there may be no room for a batch. */
  require({ put, remove }: SpoolBatch, stats: TableStats): void {
    const growableBytes = this.#growableBytes()
    let textBytes = 0
    let textBytesMost = 0
    for (const { text } of put) {
      const bytes = Buffer.byteLength(text)
      textBytes += bytes
      if (bytes > textBytesMost) textBytesMost = bytes
    }
    const isNew = put.length > 0 && remove.length === 0
    const neededBytes = textBytes * bytesPerTextByte + (isNew ? reserveBytes : 0)
    const roomBytes = growableBytes + (textBytesMost <= smallTextMax ? freeBytesOf(stats) / 2 : 0)
    if (growableBytes < growableBytesMin || roomBytes < neededBytes)
      throw this.#full(Math.max(growableBytesMin, neededBytes))
  }

  #growableBytes(): number {
    const { bavail, bsize } = statfsSync(this.#file)
    return Math.min(bavail * bsize, this.#fileBytesMax - statSync(this.#file).size)
  }

  #full(bytes: number): SpoolError {
    return new SpoolError('failed', `The disk has no room for ${this.#file}, which may need ${bytes} bytes more.`)
  }
}

/** Pages that are in none of the trees; the first two say where those are. Not all can be used at once. */
function freeBytesOf({ pageSize, lastPageNumber, free, ...entries }: TableStats): number {
  return Math.max(0, lastPageNumber + 1 - 2 - pagesOf(entries) - pagesOf(free)) * pageSize
}

function pagesOf({ treeBranchPageCount, treeLeafPageCount, overflowPages }: TreeStats): number {
  return treeBranchPageCount + treeLeafPageCount + overflowPages
}

/** The process's limit (`ulimit -f`), where the system tells it. */
function fileBytesMax(): number {
  let limits = ''
  try {
    limits = readFileSync('/proc/self/limits', 'utf8')
  } catch {
    return Infinity // only Linux has it
  }
  const [, bytes] = /^Max file size +(\d+)/m.exec(limits) ?? []
  return bytes === undefined ? Infinity : Number(bytes)
}
