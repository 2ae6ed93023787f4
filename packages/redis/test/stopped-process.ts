// A process of its own that writes and reads one key when it is told so, and says what it sent for that.

import { machineMs } from '@spillway/testkit'
import { Redis } from 'ioredis'

import { opened } from './clients.js'
import { openMember, type Member } from './fleet.js'

/** On a busy machine, too. */
const patient = { limits: { requestTimeoutMs: 5_000 } }

/** A request, or its answer, as this process saw it leave or arrive. */
export interface Traffic {
  /** By the machine's clock. */
  readonly atMs: number
  readonly what: 'sent' | 'answered'
  /** The same for a request and its answer. */
  readonly request: number
  readonly to: 'directory' | 'data'
  /** The command, as far as it tells what it is. */
  readonly command: string
}

/** What it says after each turn. */
export interface Turn {
  readonly total: number
  readonly sorts: readonly string[]
  readonly traffic: readonly Traffic[]
}

interface Command {
  readonly args: readonly unknown[]
  readonly promise: Promise<unknown>
}

const commandCharactersMax = 400

const [port = ''] = process.argv.slice(2)

/** Notes every request of a client that concerns the directory or the key. */
function watched(driver: Redis, key: string): Traffic[] {
  const traffic: Traffic[] = []
  const send = driver.sendCommand.bind(driver) as (...args: unknown[]) => unknown
  let count = 0
  driver.sendCommand = (sent: Command, ...rest: unknown[]) => {
    const text = sent.args.map(String).join(' ')
    const to = text.includes('~spillway~directory') ? 'directory' : text.includes(key) ? 'data' : undefined
    const request = ++count
    const command = text.slice(0, commandCharactersMax)
    const note = (what: Traffic['what']) =>
      to !== undefined && traffic.push({ atMs: machineMs(), what, request, to, command })
    note('sent')
    sent.promise.then(
      () => note('answered'),
      () => undefined,
    )
    return send(sent, ...rest)
  }
  return traffic
}

async function end(member: Member): Promise<void> {
  await member.close()
  process.disconnect()
}

async function main(): Promise<void> {
  const driver = new Redis({ port: Number(port), host: '127.0.0.1' })
  const traffic = watched(driver, 'hot')
  const member = await openMember(await opened(driver), patient)
  const { counts } = member
  const feed = member.client.collection<{ readonly by: string }>('feed', { prefix: 'feed-' })
  let turnCount = 0
  const turn = async () => {
    const sort = `stopped ${++turnCount}`
    await Promise.all([counts.write('hot', { total: 1 }), feed.put('hot', sort, { by: 'stopped' })])
    const [{ total }, page] = await Promise.all([counts.read('hot'), feed.page('hot', { limit: 1_000 })])
    process.send?.({ total, sorts: page.items.map((entry) => entry.sort), traffic } satisfies Turn)
  }
  process.on('message', (message) => void (message === 'end' ? end(member) : turn()))
  process.send?.('ready')
}

void main()
