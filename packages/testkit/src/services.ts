// Problem: demos, benchmarks and people need engines that run for a while, beside those of other runs, and leave nothing behind.
// Scheme: one process holds the engines that were asked for, each on free ports, and listens on a socket file of its own in
//   a folder that all runs of a user share: who connects is told the addresses, and may ask it to stop.
// Invariants: engines die with their process, whatever ends it; nobody is ended by a number that may belong to somebody else;
//   a socket file that nobody answers on is swept away.
// Cost: a socket.
// Source: none.

import { EventEmitter, once } from 'node:events'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

import { startDynalite } from './engines/dynalite.js'
import { startRedisCluster } from './engines/redis-cluster.js'
import { startRedis } from './engines/redis-single.js'

/** An engine that can be asked for. */
export type ServiceName = 'dynamodb' | 'redis' | 'redis-cluster'

/** Every engine, in the order in which they are shown. */
export const serviceNames: readonly ServiceName[] = ['dynamodb', 'redis', 'redis-cluster']

/** The variable of the environment that tells tests, demo and benchmarks of an engine that is there already. */
export const variables: Readonly<Record<ServiceName, string>> = {
  dynamodb: 'SPILLWAY_DYNAMODB_ENDPOINT',
  redis: 'SPILLWAY_REDIS_URL',
  'redis-cluster': 'SPILLWAY_REDIS_CLUSTER',
}

/** Where each engine that runs answers. */
export type Addresses = Partial<Record<ServiceName, string>>

/** Engines that run in this process. */
export interface Services {
  /** Where they answer. */
  readonly addresses: Addresses
  /** Resolves when somebody asks, through the socket, that they stop. */
  readonly stopAsked: Promise<void>
  /** Takes all of them down. May be called twice. */
  close(): Promise<void>
}

/** A run of services, as others see it. */
export interface ServicesRun {
  /** The process that holds the engines. */
  readonly pid: number
  /** Where they answer. */
  readonly addresses: Addresses
}

interface Engine {
  readonly address: string
  close(): Promise<void> | void
}

const starters: Readonly<Record<ServiceName, () => Promise<Engine>>> = {
  dynamodb: async () => {
    const engine = await startDynalite()
    return { address: engine.endpoint, close: () => engine.close() }
  },
  redis: async () => {
    const named = process.env[variables.redis]
    if (named !== undefined && named !== '') return { address: named, close: () => undefined }
    const engine = await startRedis()
    return { address: `redis://${engine.host}:${engine.port}`, close: () => engine.close() }
  },
  'redis-cluster': async () => {
    const named = process.env[variables['redis-cluster']]
    if (named !== undefined && named !== '') return { address: named, close: () => undefined }
    const engine = await startRedisCluster()
    const address = engine.addresses.map(({ host, port }) => `${host}:${port}`).join(',')
    return { address, close: () => engine.close() }
  },
}

/** Starts engines in this process and makes them known. Rejects, with nothing left running, when one of them cannot be started. */
export async function startServices(names: readonly ServiceName[]): Promise<Services> {
  const started = await Promise.allSettled(names.map((name) => starters[name]()))
  const engines = started.flatMap((engine) => (engine.status === 'fulfilled' ? [engine.value] : []))
  const closeAll = async () => {
    await Promise.all(engines.map(async (engine) => engine.close()))
  }
  const failed = started.find((engine) => engine.status === 'rejected')
  if (failed !== undefined) {
    await closeAll()
    throw failed.reason
  }
  const addresses: Addresses = Object.fromEntries(names.map((name, i) => [name, engines[i]?.address]))
  const socket = await listen(addresses)
  let closed: Promise<void> | undefined
  return {
    addresses,
    stopAsked: socket.stopAsked,
    close: () => {
      closed ??= closeAll().finally(socket.close) // the socket goes last: whoever asked waits for its end
      return closed
    },
  }
}

/** The runs of this user that answer. Sweeps away what crashed ones left. */
export async function runningServices(): Promise<readonly ServicesRun[]> {
  const runs = await Promise.all(socketFiles().map((file) => ask(file, 'status')))
  return runs.filter((run) => run !== undefined)
}

/** Asks runs of this user to stop, all of them or the one of process `pid`, and waits until they are down. Answers with those that were. */
export async function stopServices(pid?: number): Promise<readonly ServicesRun[]> {
  const files = socketFiles().filter((file) => pid === undefined || file === socketFile(pid))
  const runs = await Promise.all(files.map((file) => ask(file, 'stop')))
  return runs.filter((run) => run !== undefined)
}

const folder = join(tmpdir(), `spillway-services-${userInfo().uid}`)

function socketFiles(): readonly string[] {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return readdirSync(folder).map((name) => join(folder, name))
}

function socketFile(pid: number): string {
  return join(folder, `${pid}.sock`)
}

async function listen(addresses: Addresses): Promise<{ stopAsked: Promise<void>; close: () => void }> {
  socketFiles()
  const file = socketFile(process.pid)
  rmSync(file, { force: true }) // a process of this number that is gone
  const asked = new EventEmitter()
  const stopAsked = once(asked, 'stop').then(() => undefined)
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => open.delete(socket))
    socket.on('data', (data) => {
      socket.write(`${JSON.stringify({ pid: process.pid, addresses } satisfies ServicesRun)}\n`)
      if (data.toString().trim() === 'stop') asked.emit('stop')
      else socket.end()
    })
  })
  server.unref()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(file, () => resolve())
  })
  const close = () => {
    server.close()
    for (const socket of open) socket.end()
    rmSync(file, { force: true })
  }
  return { stopAsked, close }
}

/** What a run says of itself, once it has hung up; undefined when nobody answers. */
function ask(file: string, question: 'status' | 'stop'): Promise<ServicesRun | undefined> {
  return new Promise((resolve) => {
    let said = ''
    const socket = connect(file, () => socket.write(`${question}\n`))
    socket.on('data', (data) => {
      said += data.toString()
    })
    socket.on('error', () => {
      rmSync(file, { force: true })
      resolve(undefined)
    })
    socket.on('close', () => resolve(said === '' ? undefined : (JSON.parse(said) as ServicesRun)))
  })
}
