import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

import { BackendError } from '@spillway/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { ArgumentError } from './argument-error.js'
import { parseArguments } from './arguments.js'
import { checkTotals, unknownTriedMax } from './check/check-totals.js'
import { ledgersOf, totalsOf, type KeyLedger } from './check/expected-totals.js'
import { runDemo } from './demo.js'
import { wikipediaFields, type LogEntry } from './log/log-entry.js'
import { readLog } from './log/read-log.js'
import { repeatLog } from './log/repeat.js'
import { OfferedLoad } from './replay/offered-load.js'
import { Surge } from './replay/surge.js'
import { conclusionOf } from './report/conclusion.js'
import { tableOf } from './report/table.js'
import type { StrategyResult, Watcher } from './run-strategy.js'
import { BlindRetries } from './store/blind-retries.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spillway-demo-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** Writes a log and returns its path. */
async function logFile(name: string, content: string | Buffer): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, content)
  return path
}

const bundled = join(import.meta.dirname, 'data/wikiticker.jsonl.gz')

function entry(line: number, fields: Partial<LogEntry> = {}): LogEntry {
  return { line, key: 'u1', timeMs: 1_000 + line, bytes: 10, page: `page ${line}`, ...fields }
}

describe('reading a log', () => {
  test('the log that comes with the demo has 39,244 edits of 10,531 users', async () => {
    const entries = await readLog(bundled, wikipediaFields)
    expect(entries).toHaveLength(39_244)
    expect(new Set(entries.map(({ key }) => key)).size).toBe(10_531)
    expect(entries[0]).toEqual({
      line: 0,
      key: 'GELongstreet',
      timeMs: Date.parse('2015-09-12T00:46:58.771Z'),
      bytes: 36,
      page: 'Talk:Oswald Tilghman',
    })
  })

  test('JSON lines are read with blank lines, a byte order mark, Windows line ends and no line end at the end', async () => {
    const file = await logFile('own.jsonl', '\uFEFF{"who":"a","at":5}\r\n\n{"who":7,"at":"1970-01-01T00:00:01Z"}')
    const entries = await readLog(file, { key: 'who', time: 'at' })
    expect(entries.map(({ line, key, timeMs }) => [line, key, timeMs])).toEqual([
      [0, 'a', 5],
      [1, '7', 1_000],
    ])
  })

  test('CSV is read by the names in its first line, quotes and line ends within them included, also zipped', async () => {
    const text = 'n,"the key"\n1,"a ""b"""\n2,"c\nd"\n'
    const fields = { key: 'the key' }
    const plain = await readLog(await logFile('own.csv', text), fields)
    expect(plain.map(({ key }) => key)).toEqual(['a "b"', 'c\nd'])
    expect(await readLog(await logFile('own.csv.gz', gzipSync(text)), fields)).toEqual(plain)
  })

  test.each([
    ['bad.jsonl', '{"k":"a","t":1}\n{"k":', 'bad.jsonl:2: not JSON: {"k":'],
    ['list.jsonl', '[1]\n', 'list.jsonl:1: each line must be a JSON object, not [1]'],
    ['missing.jsonl', '{"k":"a","t":1}\n\n{"x":1,"y":2}\n', 'missing.jsonl:3: there is no field "k"; the row has x, y'],
    ['blank.jsonl', '{"k":""}\n', 'blank.jsonl:1: field "k" must be a number or a text that is not empty, not ""'],
    [
      'time.jsonl',
      '{"k":"a","t":"soon"}\n',
      'time.jsonl:1: field "t" must be an ISO 8601 time or milliseconds since 1970, not "soon"',
    ],
    ['short.csv', 'k,t\na,1\nb\n', 'short.csv:3: Invalid Record Length: columns length is 2, got 1 on line 3'],
    ['empty.jsonl', '', 'empty.jsonl:1: the log is empty: there is nothing to replay'],
    ['empty.csv', 'k,t\n', 'empty.csv:1: the log is empty: there is nothing to replay'],
    ['log.txt', 'a\n', 'log.txt: the name must end in .jsonl, .ndjson, .json or .csv, or one of these and .gz'],
    ['torn.csv.gz', gzipSync('k,t\na,1\n').subarray(0, 15), 'torn.csv.gz: unexpected end of file'],
    ['torn.jsonl.gz', gzipSync('{"k":"a","t":1}\n').subarray(0, 15), 'torn.jsonl.gz: unexpected end of file'],
  ])('%s is refused with its file and line', async (name, content, message) => {
    const file = await logFile(name, content)
    await expect(readLog(file, { key: 'k', time: 't' })).rejects.toMatchObject({ name: 'LogError', message })
  })

  test('a file that is not there is named', async () => {
    await expect(readLog(join(folder, 'none.csv.gz'), { key: 'k' })).rejects.toThrow(
      'none.csv.gz: there is no such file',
    )
  })

  test('a log that is repeated goes on a day later, with lines of its own', () => {
    const repeated = repeatLog([entry(0), entry(1)], 2)
    expect(repeated.map(({ line, timeMs }) => [line, timeMs])).toEqual([
      [0, 1_000],
      [1, 1_001],
      [2, 86_401_000],
      [3, 86_401_001],
    ])
  })
})

describe('arguments', () => {
  test('none are needed', () => {
    expect(parseArguments([])).toMatchObject({ data: undefined, clients: 32, strategies: ['a', 'b', 'c'] })
    expect(parseArguments(['--help'])).toBe('help')
  })

  test("a log of one's own is replayed once", () => {
    const settings = parseArguments(['--data', 'x.csv', '--key', 'k', '--time', 't', '--rate', '0.5e3'])
    expect(settings).toMatchObject({ data: { file: 'x.csv', keyField: 'k', timeField: 't' }, laps: 1, rate: 500 })
  })

  test.each([
    [['--rate', '0'], '--rate must be a number from 1 to 50000, but was "0"'],
    [['--rate', 'fast'], '--rate must be a number from 1 to 50000, but was "fast"'],
    [['--clients', '1.5'], '--clients must be a whole number from 1 to 256, but was "1.5"'],
    [['--clients', '257'], '--clients must be a number from 1 to 256, but was "257"'],
    [['--window', ''], '--window must be a number from 1 to 10000, but was ""'],
    [
      ['--strategies', 'a,d'],
      '--strategies must list a, b and c at most once each, with commas between them, but was "a,d"',
    ],
    [
      ['--strategies', 'a,a'],
      '--strategies must list a, b and c at most once each, with commas between them, but was "a,a"',
    ],
    [['--data', 'x.csv'], '--data needs --key FIELD, the field whose values are the keys, but none was given'],
    [['--key', 'k'], '--key names a field of --data, but was given alone: k'],
    [['--time', 't'], '--time names a field of --data, but was given alone: t'],
  ])('%j is refused with its bound and what was given', (argv, message) => {
    expect(() => parseArguments(argv)).toThrow(new ArgumentError(message))
  })

  test('an option that there is not is named', () => {
    expect(() => parseArguments(['--speed', '9'])).toThrow(/--speed/)
    expect(() => parseArguments(['fast'])).toThrow(/fast/)
  })
})

describe('checking totals', () => {
  const ledger: KeyLedger = { done: [entry(0), entry(1)], rejected: [], unknown: [] }

  test('totals are sums, the last time, and the page of the newest edit, ties by line', () => {
    const entries = [entry(2, { timeMs: 9, bytes: -25 }), entry(1, { timeMs: 9 }), entry(0, { timeMs: 3 })]
    expect(totalsOf(entries)).toEqual({ edits: 3, bytes: -5, lastEditMs: 9, lastPage: 'page 2' })
  })

  test('a record that holds every edit once is as logged', () => {
    expect(checkTotals(ledger, { edits: 2, bytes: 20, lastEditMs: 1_001, lastPage: 'page 1' })).toBe('as-logged')
  })

  test.each([
    ['an edit counted twice', { edits: 3, bytes: 30, lastEditMs: 1_001, lastPage: 'page 1' }],
    ['an edit lost', { edits: 1, bytes: 10, lastEditMs: 1_001, lastPage: 'page 1' }],
    ['bytes that do not fit', { edits: 2, bytes: 21, lastEditMs: 1_001, lastPage: 'page 1' }],
    ['an older time', { edits: 2, bytes: 20, lastEditMs: 1_000, lastPage: 'page 1' }],
    ['an older page', { edits: 2, bytes: 20, lastEditMs: 1_001, lastPage: 'page 0' }],
    ['a record that is not there', { edits: 0, bytes: 0, lastEditMs: undefined, lastPage: undefined }],
  ])('%s is wrong', (_what, actual) => {
    expect(checkTotals(ledger, actual)).toBe('wrong')
  })

  test('a rejected edit must not be in, an unknown one may be', () => {
    const [ofLog] = ledgersOf([entry(0), entry(1), entry(2), entry(3)], ['done', 'rejected', 'unknown']).values()
    const failed = ofLog!
    expect(checkTotals(failed, { edits: 1, bytes: 10, lastEditMs: 1_000, lastPage: 'page 0' })).toBe('as-told')
    expect(checkTotals(failed, { edits: 2, bytes: 20, lastEditMs: 1_002, lastPage: 'page 2' })).toBe('as-told')
    expect(checkTotals(failed, { edits: 2, bytes: 20, lastEditMs: 1_001, lastPage: 'page 1' })).toBe('wrong')
    expect(checkTotals(failed, { edits: 2, bytes: 20, lastEditMs: 1_002, lastPage: 'page 0' })).toBe('wrong')
  })

  test('very many unknown edits are held within their bounds', () => {
    const unknown = Array.from({ length: unknownTriedMax + 1 }, (_unused, i) => entry(i + 2))
    const many: KeyLedger = { done: [entry(0), entry(1)], rejected: [entry(99)], unknown }
    expect(checkTotals(many, { edits: 4, bytes: 40, lastEditMs: 1_003, lastPage: 'page 3' })).toBe('as-told')
    expect(checkTotals(many, { edits: 1, bytes: 10, lastEditMs: 1_001, lastPage: 'page 1' })).toBe('wrong')
    expect(checkTotals(many, { edits: 4, bytes: 40, lastEditMs: 1_099, lastPage: 'page 99' })).toBe('wrong')
  })
})

describe('what the peers are given', () => {
  test('three attempts and the last error, as the AWS SDK', async () => {
    let attempts = 0
    const retries = new BlindRetries({ next: () => 0 })
    const attempt = () => Promise.reject(new BackendError('unknown', `attempt ${(attempts += 1)}`))
    await expect(retries.run(attempt)).rejects.toThrow('attempt 3')
    expect(attempts).toBe(3)
  })

  test('an offered load counts the last second, done or not', () => {
    const load = new OfferedLoad()
    for (let i = 0; i < 10; i++) load.offer(entry(i), i * 100)
    expect(load.offer(entry(10), 1_000)).toBe(10)
    expect(load.top(1, 1, 1_950)).toEqual([{ key: 'u1', writesPerSecond: 1 }])
  })
})

/** A hot user among many, as a log of one's own. */
function hotLog(lineCount: number): Promise<string> {
  const lines = Array.from(
    { length: lineCount },
    (_unused, i) => `${i % 3 === 0 ? 'bot' : `user-${i % 500}`},${1_000 + i}`,
  )
  return logFile('hot.csv', ['who,ms', ...lines].join('\n'))
}

async function replayed(...more: string[]) {
  const settings = parseArguments([
    '--data',
    await hotLog(16_000),
    '--key',
    'who',
    '--time',
    'ms',
    '--rate',
    '8000',
    ...more,
  ])
  if (settings === 'help') throw new Error('unreachable')
  return settings
}

/** What a strategy did, with no trouble but what is given. */
function result(id: StrategyResult['id'], title: string, more: Partial<StrategyResult> = {}): StrategyResult {
  const store = { writeRequests: 9, readRequests: 1, shardsRead: 1, directoryReads: 3, directorySwaps: 0 }
  const latency = { count: 1, p50Ms: 1, p99Ms: 1, maxMs: 1 }
  return {
    id,
    title,
    isInterrupted: false,
    durationMs: 1,
    lagP99Ms: 1,
    writes: { done: 9, rejected: 0, unknown: 0 },
    reads: { answered: 1, failed: 0, wrong: 0 },
    store: { ...store, writesThrottled: 4, readsThrottled: 0, writeUnits: 9, readUnits: 1 },
    answersLost: 0,
    writeLatency: latency,
    readLatency: latency,
    answeredSurge: undefined,
    leftAtClose: undefined,
    check: { keyCount: 1, checkedCount: 1, editsStored: 9, editsBegun: 9, differences: [] },
    ...more,
  }
}

describe('what is shown', () => {
  const own = result('c', '(c) Spillway')
  const peer = result('a', '(a) plain', {
    writes: { done: 7, rejected: 2, unknown: 0 },
    reads: { answered: 1, failed: 1, wrong: 0 },
  })

  test('the conclusion says what is better and what it costs', () => {
    const conclusion = conclusionOf([own, peer], 20)
    expect(conclusion).toContain(
      'with Spillway 0 calls failed and 0 totals ended wrong with nobody told ((a) plain 3 and 0)',
    )
    expect(conclusion).toContain('1.00 shards per read ((a) plain 1.00), 3 requests for routes, up to 20.0 ms more')
    expect(conclusion).toContain('4 throttled attempts ((a) plain 4)')
  })

  test('there is no conclusion without a peer, from a run that was stopped, or from a machine that was too slow', () => {
    expect(conclusionOf([own], 20)).toBeUndefined()
    expect(conclusionOf([peer], 20)).toBeUndefined()
    expect(conclusionOf([own, { ...peer, isInterrupted: true }], 20)).toBeUndefined()
    expect(conclusionOf([own, { ...peer, lagP99Ms: 80 }], 20)).toBeUndefined()
  })

  test('every row of the table has a name of its own', () => {
    const names = tableOf([own])
      .split('\n')
      .map((line) => line.split('│')[1]?.trim() ?? '')
      .filter((name) => name !== '')
    expect(new Set(names).size).toBe(names.length)
  })
})

describe('a surge', () => {
  test('is measured from its first sign to the first spread write of the same key', () => {
    const surge = new Surge()
    surge.sign('a', 1_000)
    surge.sign('b', 1_200)
    surge.sign('b', 1_900)
    expect(surge.spreadWrite('c', 2_000)).toBe(false)
    expect(surge.spreadWrite('b', 2_100)).toBe(true)
    expect(surge.answer).toEqual({ key: 'b', afterMs: 900 })
  })

  test('is over after a second without a sign', () => {
    const surge = new Surge()
    surge.sign('a', 1_000)
    expect(surge.spreadWrite('a', 2_001)).toBe(false)
    surge.sign('a', 5_000)
    expect(surge.spreadWrite('a', 5_300)).toBe(true)
    expect(surge.answer).toEqual({ key: 'a', afterMs: 300 })
  })
})

/** Notes by title the most that the hottest key of a strategy was asked for. */
function offeredWatcher(offered: Map<string, number>): Watcher {
  let timer: NodeJS.Timeout | undefined
  return {
    began(snapshot) {
      timer = setInterval(() => {
        const { title, hotKeys } = snapshot()
        offered.set(title, Math.max(offered.get(title) ?? 0, hotKeys[0]?.writesPerSecond ?? 0))
      }, 50)
    },
    ended: () => clearInterval(timer),
  }
}

describe('a short replay', () => {
  const printed: string[] = []
  const offered = new Map<string, number>()
  const output = { print: (text: string) => void printed.push(text), watcher: offeredWatcher(offered) }
  const running = new AbortController().signal

  test(
    'all strategies take every line, the plain client is throttled, and Spillway has no mismatch',
    { timeout: 60_000 },
    async () => {
      const { results, exitCode } = await runDemo(await replayed(), running, output)
      const [a, b, c] = results as [StrategyResult, StrategyResult, StrategyResult]
      for (const { writes, check } of results) {
        expect(writes.done + writes.rejected + writes.unknown).toBe(16_000)
        expect(check.checkedCount).toBe(check.keyCount)
      }
      expect(a.store.writesThrottled).toBeGreaterThan(0)
      expect(b.store.shardsRead).toBe(10 * b.reads.answered)
      expect(c.check.differences.filter(({ isTold }) => !isTold)).toEqual([])
      expect(c.reads.wrong).toBe(0)
      expect(c.store.writeRequests).toBeLessThan(a.store.writeRequests)
      expect(exitCode).toBe(0)
      expect(printed.join('\n')).toContain('mismatches: 0.')
      // A third of 8,000 lines a second is what callers ask of one key, whoever serves it and however.
      for (const { title } of results) expect(offered.get(title)).toBeGreaterThan(2_000)
    },
  )

  test('a file for the results that cannot be written is refused before anything runs', async () => {
    const path = join(folder, 'no-such-folder', 'out.json')
    const running = runDemo(await replayed('--json', path), new AbortController().signal, {
      print: () => expect.unreachable(),
      watcher: { began: () => expect.unreachable(), ended: () => undefined },
    })
    await expect(running).rejects.toThrow(ArgumentError)
    await expect(running).rejects.toThrow(`--json must name a file that can be written, but was "${path}": ENOENT`)
  })

  test('a stop finishes what has begun, and checks and shows it', { timeout: 60_000 }, async () => {
    const controller = new AbortController()
    const { print } = output
    const watcher = { began: () => void setTimeout(() => controller.abort(), 500), ended: () => undefined }
    const { results, exitCode } = await runDemo(await replayed('--strategies', 'c,a'), controller.signal, {
      print,
      watcher,
    })
    expect(results).toHaveLength(1)
    const [{ writes, check, isInterrupted } = results[0]!] = results
    expect(isInterrupted).toBe(true)
    expect(writes.done).toBeGreaterThan(0)
    expect(writes.done).toBeLessThan(16_000)
    expect(check.editsBegun).toBe(writes.done + writes.rejected + writes.unknown)
    expect(check.differences.filter(({ isTold }) => !isTold)).toEqual([])
    expect(exitCode).toBe(130)
  })
})
