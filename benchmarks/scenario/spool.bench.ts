// What a buffered write costs when it is on disk before it is acknowledged: 1, 64 and 1,024 callers, each of whom adds one to
// one of 1,000 keys and awaits that. Beside what one writes by hand: a file to which each change is appended and synced, and
// the same where all that arrive during a sync share the next; and LMDB, a put a change, whose batches sync as the spool's
// do. Those three only write down; the spool's changes go on to a backend (memory(), in this process) meanwhile, exactly
// once. All are in the system's folder of temporary files.

import { type FileHandle, mkdtemp, open as openFile, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { memory, type Records } from '@spillway/core'
import { spool } from '@spillway/spool'
import { open as openLmdb } from 'lmdb'

import { closeCounters, counterOn, type counterRules } from '../lib/counter.js'
import { compareUnderLoad } from '../lib/load-report.js'
import type { Peer } from '../lib/load.js'

const callerCounts = [1, 64, 1_024]
const options = { rounds: 5, sliceMs: 1_000 }
const keys = Array.from({ length: 1_000 }, (_, i) => `post:${i}`)
const one = { n: 1 }

/** Measures everything, prints it and returns it as plain data. */
export async function run(): Promise<unknown> {
  const folder = await mkdtemp(join(tmpdir(), 'spillway-spool-'))
  try {
    const tables = []
    for (const callerCount of callerCounts) {
      const place = (name: string) => join(folder, `${name}-${callerCount}`)
      const peers = [
        await appended('file, a sync each', place('each'), syncEach),
        await appended('file, syncs shared', place('shared'), syncShared),
        lmdbPut(place('lmdb')),
        await buffered(place('spool')),
      ]
      const title = `Buffered writes to 1,000 keys, ${callerCount.toLocaleString('en')} awaiting`
      tables.push(await compareUnderLoad(title, peers, [], { callerCount, ...options }))
      await closeCounters()
    }
    return { keyCount: keys.length, tables }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The next of all keys, in turn. */
function turn(): () => string {
  let i = 0
  return () => keys[i++ % keys.length] as string
}

/** A log of lines by hand. */
async function appended(name: string, path: string, syncing: (file: FileHandle) => Append): Promise<Peer> {
  const file = await openFile(path, 'a')
  const append = syncing(file)
  const nextKey = turn()
  return {
    name,
    operate: () => append(`${JSON.stringify({ key: nextKey(), change: one })}\n`),
    check: async (operationCount) => {
      await file.close()
      const lineCount = (await readFile(path, 'utf8')).split('\n').length - 1
      requireAll(name, operationCount, lineCount)
    },
  }
}

type Append = (line: string) => Promise<void>

/** One after the other. */
function syncEach(file: FileHandle): Append {
  let last = Promise.resolve()
  return (line) => {
    last = last.then(async () => {
      await file.appendFile(line)
      await file.datasync()
    })
    return last
  }
}

/** What arrives during a sync waits for the next, which is theirs together. */
function syncShared(file: FileHandle): Append {
  let waiting: string[] = []
  let next: Promise<void> | undefined
  let last = Promise.resolve()
  return (line) => {
    waiting.push(line)
    next ??= last = last.then(async () => {
      const lines = waiting
      waiting = []
      next = undefined
      await file.appendFile(lines.join(''))
      await file.datasync()
    })
    return next
  }
}

/** An entry a change, all durable before they resolve. */
function lmdbPut(path: string): Peer {
  const name = 'LMDB, a put each'
  const table = openLmdb<string, number>({ path, noSubdir: true, encoding: 'string', overlappingSync: false })
  const nextKey = turn()
  let count = 0
  return {
    name,
    operate: () => table.put(count++, JSON.stringify({ key: nextKey(), change: one })),
    check: async (operationCount) => {
      requireAll(name, operationCount, table.getCount())
      await table.close()
    },
  }
}

async function buffered(path: string): Promise<Peer> {
  const name = 'Spillway, buffered'
  const records: Records<typeof counterRules> = await counterOn(memory(), { spool: spool({ path }) })
  const nextKey = turn()
  return {
    name,
    operate: () => records.write(nextKey(), one, { ack: 'buffered' }),
    check: async (operationCount) => {
      const endMs = performance.now() + 30_000
      let total = await totalOf(records)
      while (total !== operationCount && performance.now() < endMs) total = await totalOf(records) // the rest is on its way
      requireAll(name, operationCount, total)
    },
  }
}

async function totalOf(records: Records<typeof counterRules>): Promise<number> {
  let total = 0
  for (const key of keys) total += (await records.read(key)).n
  return total
}

function requireAll(name: string, operationCount: number, storedCount: number): void {
  if (storedCount !== operationCount)
    throw new Error(`${name}: ${operationCount} were acknowledged, ${storedCount} are stored`)
}
