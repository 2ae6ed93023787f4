// Problem: LMDB trusts its file. One that is not its own, cut off or damaged ends the process when it is mapped or read.
// Scheme: before LMDB sees it, the trees of the last commit are walked, page by page, as far as LMDB could follow them.
// Invariants: nothing is changed; every page that the trees lead to is there, is where it says it is, and leads nowhere else.
// Cost: one read of those pages at the start; the texts of entries are left out.
// Source: liblmdb's mdb.c, «Page headers», «Nodes» and «Meta pages», as of the version that `lmdb` 3.5 contains; 64-bit systems.

import { SpoolError } from '@spillway/core'

import { FileBlocks } from './file-blocks.js'

const pageHeaderBytes = 24
const magic = 0xbeefc0de
const flags = { branch: 0x01, leaf: 0x02, overflow: 0x04 }
/** Of a node: its data stands in overflow pages. */
const isBig = 0x01
const nodeHeaderBytes = 8
/** Deeper than any tree of fewer than 2^48 pages. */
const depthMax = 32
const noPage = 0xffff_ffff_ffff_ffffn

/** Returns when LMDB can open the file, which need not exist. Throws `SpoolError` when it is foreign or damaged. */
export function checkDataFile(file: string): void {
  const bytes = FileBlocks.open(file)
  if (bytes === undefined) return
  try {
    requireWhole(file, bytes)
  } finally {
    bytes.close()
  }
}

function requireWhole(file: string, bytes: FileBlocks): void {
  if (bytes.length === 0) return
  const pageBytes = pageSizeOf(bytes)
  if (pageBytes === undefined)
    throw new SpoolError(
      'foreign',
      `${file} is no spool of Spillway's. It was left as it is: give the spool a folder of its own.`,
    )
  const why = new Pages(bytes, pageBytes).problem()
  if (why !== undefined)
    throw new SpoolError(
      'damaged',
      `${file} cannot be read: ${why}. Nothing was written to the backend. Keep a copy of the folder, and start on an empty one.`,
    )
}

function pageSizeOf(bytes: FileBlocks): number | undefined {
  if (bytes.length < 1_024 || bytes.readUInt32LE(pageHeaderBytes) !== magic) return undefined
  const pageBytes = bytes.readUInt32LE(pageHeaderBytes + 24)
  const isSize = pageBytes >= 512 && pageBytes <= 65_536 && (pageBytes & (pageBytes - 1)) === 0
  return isSize && bytes.length >= 2 * pageBytes && bytes.readUInt32LE(pageBytes + pageHeaderBytes) === magic
    ? pageBytes
    : undefined
}

class Pages {
  readonly #bytes: FileBlocks
  readonly #pageBytes: number
  readonly #seen = new Set<bigint>()

  constructor(bytes: FileBlocks, pageBytes: number) {
    this.#bytes = bytes
    this.#pageBytes = pageBytes
  }

  /** What is wrong; undefined when nothing is. */
  problem(): string | undefined {
    const metas = [pageHeaderBytes, this.#pageBytes + pageHeaderBytes]
    const transactionOf = (meta: number) => this.#bytes.readBigUInt64LE(meta + 128)
    const [first, second] = metas as [number, number]
    const latest = transactionOf(second) > transactionOf(first) ? second : first
    // The tree of free pages, and that of the entries: the last word of each description is its root.
    for (const root of [latest + 64, latest + 112]) {
      const number = this.#bytes.readBigUInt64LE(root)
      const why = number === noPage ? undefined : this.#walk(number, 1)
      if (why !== undefined) return why
    }
    return undefined
  }

  #walk(number: bigint, depth: number): string | undefined {
    const at = this.#placeOf(number, 1n)
    if (at === undefined) return `page ${number} is missing`
    if (this.#seen.has(number) || depth > depthMax) return `page ${number} is reached twice`
    this.#seen.add(number)
    const kind = this.#bytes.readUInt16LE(at + 18)
    if (this.#bytes.readBigUInt64LE(at) !== number || (kind & (flags.branch | flags.leaf)) === 0)
      return `page ${number} is not what was written`
    const count = this.#bytes.readUInt16LE(at + 20) >> 1
    if (count * 2 > this.#pageBytes - pageHeaderBytes) return `page ${number} is not what was written`
    for (let i = 0; i < count; i++) {
      const node = this.#bytes.readUInt16LE(at + pageHeaderBytes + 2 * i)
      const why =
        pageHeaderBytes + node + nodeHeaderBytes > this.#pageBytes
          ? `page ${number} is not what was written`
          : this.#follow(at + pageHeaderBytes + node, at + this.#pageBytes, (kind & flags.branch) !== 0, depth)
      if (why !== undefined) return why
    }
    return undefined
  }

  /** Follows a node to the page that it leads to; `end` is where its own page ends. */
  #follow(node: number, end: number, isBranch: boolean, depth: number): string | undefined {
    const bytes = this.#bytes
    const low = BigInt(bytes.readUInt32LE(node))
    const marks = bytes.readUInt16LE(node + 4)
    if (isBranch) return this.#walk(low | (BigInt(marks) << 32n), depth + 1)
    const data = node + nodeHeaderBytes + bytes.readUInt16LE(node + 6)
    if ((marks & isBig) === 0) return data + Number(low) > end ? 'an entry is not what was written' : undefined
    if (data + 8 > end) return 'an entry is not what was written'
    const number = bytes.readBigUInt64LE(data)
    const at = this.#placeOf(number, 1n)
    const isOverflow =
      at !== undefined && bytes.readBigUInt64LE(at) === number && (bytes.readUInt16LE(at + 18) & flags.overflow) !== 0
    if (!isOverflow || this.#placeOf(number, BigInt(bytes.readUInt32LE(at + 20))) === undefined)
      return `page ${number} is missing, or not what was written`
    return undefined
  }

  /** Where a page stands; undefined when so many pages from it on do not all stand in the file. */
  #placeOf(number: bigint, count: bigint): number | undefined {
    const size = BigInt(this.#pageBytes)
    if ((number + count) * size > BigInt(this.#bytes.length)) return undefined
    return Number(number * size)
  }
}
