import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb'
import { dynamoAccess, startDynalite, startRedis, waitUntil } from '@spillway/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { ArgumentError } from './argument-error.js'
import { parseArguments } from './arguments.js'
import { runDemo } from './demo.js'
import type { StrategyResult } from './run-strategy.js'
import type { Settings } from './settings.js'

let folder: string
let log: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spillway-demo-'))
  log = join(folder, 'hot.csv')
  const lines = Array.from({ length: 600 }, (_unused, i) => `${i % 3 === 0 ? 'bot' : `user-${i % 50}`},${1_000 + i}`)
  await writeFile(log, ['who,ms', ...lines].join('\n'))
})
afterAll(() => rm(folder, { recursive: true }))

/** Six hundred lines, a third of them one user's, in two seconds. */
function short(...more: readonly string[]): string[] {
  return ['--data', log, '--key', 'who', '--time', 'ms', '--rate', '300', '--clients', '4', ...more]
}

function settingsOf(...more: readonly string[]): Settings {
  const settings = parseArguments(short(...more), {})
  if (settings === 'help') throw new Error('unreachable')
  return settings
}

async function run(
  settings: Settings,
): Promise<{ results: readonly StrategyResult[]; exitCode: number; text: string }> {
  const printed: string[] = []
  const watcher = { began: () => undefined, ended: () => undefined }
  const output = { print: (text: string) => void printed.push(text), watcher }
  const end = await runDemo(settings, new AbortController().signal, output)
  return { ...end, text: printed.join('\n') }
}

/** Every port of the loopback that a text names. */
function portsIn(text: string): number[] {
  return [...text.matchAll(/127\.0\.0\.1:(\d+)/g)].map(([, port]) => Number(port))
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

describe('on an engine that is started for it', () => {
  test.each([
    ['redis', 1],
    ['redis-cluster', 6],
    ['dynamodb', 1],
  ])('%s takes every line, Spillway agrees with the log, and nothing is left running', async (backend, portCount) => {
    const { results, exitCode, text } = await run(settingsOf('--backend', backend))
    expect(results.map(({ id }) => id)).toEqual(['a', 'b', 'c'])
    for (const { writes, check, store } of results) {
      expect(writes.done + writes.rejected + writes.unknown).toBe(600)
      expect(check.checkedCount).toBe(check.keyCount)
      expect(check.editsBegun).toBe(600)
      expect(store.writeRequests).toBeGreaterThan(0)
      expect(store.readRequests).toBeGreaterThan(0)
    }
    const [, suffixes, spillway] = results as [StrategyResult, StrategyResult, StrategyResult]
    expect(suffixes.store.shardsRead).toBe(10 * suffixes.reads.answered)
    expect(spillway.check.differences.filter(({ isTold }) => !isTold)).toEqual([])
    expect(spillway.reads.wrong).toBe(0)
    expect(spillway.store.directoryReads).toBeGreaterThan(0)
    expect(exitCode).toBe(0)
    const ports = portsIn(text)
    expect(ports).toHaveLength(portCount)
    expect(await Promise.all(ports.map(isOpen))).toEqual(ports.map(() => false))
  })
})

describe('on an engine that is there already', () => {
  test('a Redis keeps what it had, and nothing more', async () => {
    const server = await startRedis({ isOwn: true })
    try {
      await server.call('SET', 'somebody else’s', '1')
      const address = `redis://127.0.0.1:${server.port}`
      const { results, exitCode, text } = await run(settingsOf('--backend', 'redis', '--address', address))
      expect(exitCode).toBe(0)
      expect(text).toContain(`at ${address}`)
      expect(text).not.toContain('a proxy cuts')
      expect(results.flatMap(({ check }) => check.differences)).toEqual([])
      const left = (await server.call('KEYS', '*')) as string[]
      expect(left).toContain('somebody else’s')
      // Reports of heat go by themselves within seconds.
      const reports = left.filter((key) => key.startsWith('~spillway~heat'))
      expect(left.length).toBe(1 + reports.length)
      for (const key of reports) expect(await server.call('PTTL', key)).toBeLessThan(15_000)
      expect(await Promise.all(reports.map((key) => server.call('PTTL', key)))).not.toContain(-1)
    } finally {
      await server.close()
    }
  })

  test('a DynamoDB keeps no table of the demo’s', async () => {
    const engine = await startDynalite()
    const client = new DynamoDBClient({ endpoint: engine.endpoint, ...dynamoAccess() })
    try {
      const strategies = ['--strategies', 'c']
      const { exitCode, text } = await run(
        settingsOf('--backend', 'dynamodb', '--address', engine.endpoint, ...strategies),
      )
      expect(exitCode).toBe(0)
      expect(text).not.toContain('a gateway before it')
      const { TableNames = [] } = await client.send(new ListTablesCommand({}))
      expect(TableNames.filter((name) => name.startsWith(`spillway-demo-${process.pid}-`))).toEqual([])
    } finally {
      client.destroy()
      await engine.close()
    }
  })

  test.each([
    ['redis', '127.0.0.1:1', 'a Redis'],
    ['redis-cluster', '127.0.0.1:1,127.0.0.1:2', 'nodes of a Redis Cluster'],
    ['dynamodb', 'http://127.0.0.1:1', 'a DynamoDB'],
  ])('an address where no %s answers is refused', async (backend, address, what) => {
    const running = run(settingsOf('--backend', backend, '--address', address))
    await expect(running).rejects.toThrow(ArgumentError)
    await expect(running).rejects.toThrow(`--address must name ${what} that can be reached, but was "${address}": `)
  })
})

/** Starts one that would run for a minute and a half, and waits until the replay has begun. */
async function begun(): Promise<{ child: ChildProcess; ports: number[] }> {
  const main = join(import.meta.dirname, 'main.ts')
  const args = short('--backend', 'redis', '--rate', '20', '--strategies', 'c', '--laps', '3')
  const child = spawn(process.execPath, ['--import', 'tsx', main, ...args], {
    cwd: join(import.meta.dirname, '../..'),
    env: { ...process.env, SPILLWAY_REDIS_URL: '' },
  })
  let text = ''
  child.stdout.on('data', (data: Buffer) => {
    text += data.toString()
  })
  await waitUntil('the replay has begun', () => /lines, .* in flight/.test(text), 60_000)
  const ports = portsIn(text)
  expect(await Promise.all(ports.map(isOpen))).toEqual([true])
  return { child, ports }
}

describe('a process of the demo', () => {
  test('ends with 130 after Ctrl-C, and takes its engine down', async () => {
    const { child, ports } = await begun()
    child.kill('SIGINT')
    expect(await once(child, 'exit')).toEqual([130, null])
    expect(await isOpen(ports[0]!)).toBe(false)
  })

  test('leaves no engine when it is killed', async () => {
    const { child, ports } = await begun()
    child.kill('SIGKILL')
    await once(child, 'exit')
    await waitUntil('the engine is gone', async () => !(await isOpen(ports[0]!)))
    expect(child.signalCode).toBe('SIGKILL')
  })
})

describe('the arguments', () => {
  test.each([
    [['--backend', 'postgres'], '--backend must be one of memory, redis, redis-cluster, dynamodb, but was "postgres"'],
    [['--address', 'localhost:1'], '--address names an engine of --backend, but was given alone: localhost:1'],
    [
      ['--backend', 'redis', '--address', 'http://a:1'],
      '--address must be redis://host:port or host:port for --backend redis, but was "http://a:1"',
    ],
    [
      ['--backend', 'dynamodb', '--address', 'localhost:8000'],
      '--address must be http://host:port or https://host for --backend dynamodb, but was "localhost:8000"',
    ],
    [['--lines', '9-3'], '--lines must be the first and the last line, such as 1-1000, but was "9-3"'],
  ])('%j is refused with what was expected', (argv, message) => {
    expect(() => parseArguments(argv, {})).toThrow(new ArgumentError(message))
  })

  test('an address may stand in the environment, and the command line has the last word', () => {
    const env = { SPILLWAY_REDIS_CLUSTER: 'a:1,b:2', SPILLWAY_REDIS_URL: 'nonsense://' }
    const cluster = ['--backend', 'redis-cluster']
    expect(parseArguments(cluster, env)).toMatchObject({ address: 'a:1,b:2' })
    expect(parseArguments([...cluster, '--address', 'c:3'], env)).toMatchObject({ address: 'c:3' })
    expect(() => parseArguments(['--backend', 'redis'], env)).toThrow(
      'SPILLWAY_REDIS_URL must be redis://host:port or host:port for --backend redis, but was "nonsense://"',
    )
  })

  test('lines of a log of one’s own can be chosen, and must be there', async () => {
    await expect(run(settingsOf('--lines', '601-700'))).rejects.toThrow(
      '--lines must begin within the 600 lines of the log, but was 601-700',
    )
  })
})
