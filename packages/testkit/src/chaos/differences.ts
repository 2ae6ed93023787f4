// Problem: a lost or doubled write among a million shows only when each is looked for.
// Scheme: what every process was told, operation by operation, against what a fresh client reads.
// Invariants: acknowledged is in, once; rejected is not in; unknown and unfinished is in once or not at all; an item is what its
//   last acknowledged operation made it, or a later one whose outcome nobody knows.
// Cost: linear in the operations.
// Source: docs/guarantees.md

import type { Stored, StoredItems, StoredRecord } from './chaos-reader.js'
import type { CountedRead, Ledgers, Operation } from './ledgers.js'

/** Stamps are whole milliseconds of the wall clock; the ledger has another one. */
const stampSlackMs = 5

/** What is not as the ledgers say, in words. */
export function storedDifferences({ operations }: Ledgers, stored: Stored): readonly string[] {
  const [records, items] = [byKey(operations, isOfRecord), byKey(operations, isOfItem)]
  return [
    ...stored.records.flatMap((record) => recordDifferences(record, records.get(record.key) ?? [])),
    ...stored.items.flatMap((at) => itemDifferences(at, items.get(at.key) ?? [])),
  ]
}

/** Reads during the run that were without what had been acknowledged before they began, or counted what had not begun. */
export function readDifferences({ operations, reads }: Ledgers): readonly string[] {
  const found: string[] = []
  const writes = byKey(operations, isOfRecord)
  const readsByKey = new Map<string, CountedRead[]>()
  for (const read of reads) {
    const others = readsByKey.get(read.key)
    if (others === undefined) readsByKey.set(read.key, [read])
    else others.push(read)
  }
  for (const [key, all] of readsByKey) {
    const own = writes.get(key) ?? []
    const acknowledged = own.filter(({ outcome }) => outcome === 'acknowledged').map(({ endedMs }) => endedMs)
    const possible = own.filter(({ outcome }) => outcome !== 'rejected').map(({ beganMs }) => beganMs)
    const [done, begun] = [acknowledged.toSorted(byNumber), possible.toSorted(byNumber)]
    for (const { beganMs, endedMs, count } of all) {
      const [least, most] = [countBelow(done, beganMs), countBelow(begun, endedMs)]
      if (count < least || count > most)
        found.push(
          `a read of record ${key} from ${beganMs} to ${endedMs} counts ${count}; ${least} writes had been acknowledged before, and ${most} had begun in all`,
        )
    }
  }
  return found
}

function recordDifferences(record: StoredRecord, operations: readonly Operation[]): readonly string[] {
  const { key, count, ids, peak = -1, last } = record
  const found: string[] = []
  const say = (text: string) => found.push(`record ${key}: ${text}`)
  const stored = new Set(ids)
  if (count !== ids.length) say(`counts ${count} writes, and names ${ids.length}`)
  for (const { id, outcome, beganMs, endedMs } of operations) {
    if (outcome === 'acknowledged' && !stored.has(id)) say(`${id} was acknowledged at ${endedMs} and is not in`)
    if (outcome === 'rejected' && stored.has(id)) say(`${id} was rejected at ${endedMs} and is in`)
    if (outcome === 'acknowledged' && Math.floor(beganMs) > peak) say(`its maximum is ${peak}, and ${id} wrote more`)
  }
  const known = new Map(operations.map((operation) => [operation.id, operation]))
  for (const id of ids) if (!known.has(id)) say(`has ${id}, which nobody wrote`)
  const highest = operations.reduce(
    (most, { beganMs, outcome }) => (outcome === 'rejected' ? most : Math.max(most, Math.floor(beganMs))),
    -1,
  )
  if (peak > highest) say(`its maximum is ${peak}, and nobody wrote more than ${highest}`)
  const latest = last === undefined ? undefined : known.get(last)
  if (latest === undefined) {
    if (last !== undefined || operations.some(({ outcome }) => outcome === 'acknowledged'))
      say(`its latest write is ${last}`)
    return found
  }
  if (latest.outcome === 'rejected') say(`its latest write ${last} was rejected`)
  const later = operations.find(
    ({ outcome, beganMs }) => outcome === 'acknowledged' && beganMs > latest.endedMs + stampSlackMs,
  )
  if (later !== undefined) say(`its latest write is ${last}, and ${later.id}, acknowledged, began when that had ended`)
  return found
}

function itemDifferences({ key, entries, paged }: StoredItems, operations: readonly Operation[]): readonly string[] {
  const found: string[] = []
  const say = (text: string) => found.push(`items of ${key}: ${text}`)
  const bySort = new Map<string, Operation[]>()
  for (const operation of operations) {
    const others = bySort.get(operation.sort)
    if (others === undefined) bySort.set(operation.sort, [operation])
    else others.push(operation)
  }
  let before = ''
  const stored = new Map<string, string>()
  for (const [sort, id] of entries) {
    if (sort === before) say(`${sort} is there twice`)
    else if (sort < before) say(`${sort} stands behind ${before}`)
    if (!bySort.has(sort)) say(`has ${sort}, which nobody wrote`)
    before = sort
    stored.set(sort, id)
  }
  for (const [sort, own] of bySort) {
    const possible = possibleVersions(own)
    const version = stored.get(sort) ?? 'none'
    if (!possible.has(version)) say(`${sort} is ${version}, not ${[...possible].join(' or ')}`)
  }
  const backwards = paged.toReversed()
  if (
    backwards.length !== entries.length ||
    backwards.some(([sort, id], i) => entries[i]?.[0] !== sort || entries[i][1] !== id)
  )
    say(`its pages have ${paged.length} items, and an iteration has ${entries.length}, or others`)
  return found
}

/** What may stand under a sort value that one process alone wrote, one operation after another. */
function possibleVersions(inOrder: readonly Operation[]): ReadonlySet<string> {
  const possible = new Set(['none'])
  for (const { id, deed, outcome } of inOrder) {
    if (outcome === 'rejected') continue
    if (outcome === 'acknowledged') possible.clear()
    possible.add(deed === 'delete' ? 'none' : id)
  }
  return possible
}

function isOfRecord({ deed }: Operation): boolean {
  return deed === 'write'
}

function isOfItem({ deed }: Operation): boolean {
  return deed !== 'write'
}

function byKey(operations: readonly Operation[], isOfIt: (operation: Operation) => boolean): Map<string, Operation[]> {
  const found = new Map<string, Operation[]>()
  for (const operation of operations) {
    if (!isOfIt(operation)) continue
    const others = found.get(operation.key)
    if (others === undefined) found.set(operation.key, [operation])
    else others.push(operation)
  }
  return found
}

function byNumber(a: number, b: number): number {
  return a - b
}

/** How many of these numbers, which are in order, are below a bound. */
function countBelow(inOrder: readonly number[], bound: number): number {
  let [low, high] = [0, inOrder.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((inOrder[middle] as number) < bound) low = middle + 1
    else high = middle
  }
  return low
}
