import { afterEach, describe, expect, test, vi } from 'vitest'

import { redis, type CommandAnswer, type RedisPort } from '../../src/index.js'
import { addOne, call, failureOf, shardOf, total } from '../requests.js'

interface Script {
  /** What each single command is answered, one after the other. */
  readonly alone: readonly unknown[]
  /** What two commands on one connection are answered. */
  readonly inOrder: readonly (readonly CommandAnswer[])[]
}

/** A client that answers by the book, and keeps what it was sent. */
function scripted({ alone, inOrder }: Script) {
  const [singles, pairs] = [[...alone], [...inOrder]]
  const waits: unknown[] = []
  const port: RedisPort = {
    name: 'scripted',
    send: () => Promise.resolve(singles.shift()),
    sendInOrder(_key, commands) {
      waits.push(commands[1])
      return Promise.resolve(pairs.shift() ?? [])
    },
    sendToPrimaries: () => Promise.resolve([]),
    resendCount: () => 0,
  }
  return { port, waits }
}

function answered(value: unknown): CommandAnswer {
  return { status: 'answered', value }
}

const lost: CommandAnswer = { status: 'failed', error: new Error('Socket closed unexpectedly') }

describe('a seal', () => {
  test('answers with what is frozen where a replica has it, not with what a server that failed had', async () => {
    const { port } = scripted({
      alone: [[['5', null], 1, []]],
      inOrder: [[answered([['7', null], 1, []]), answered(1)]],
    })
    const { states } = await redis({ client: port }).records.seal(shardOf('k', 1), [total], call)
    expect(states).toEqual([7])
  })

  test('waits for nobody where nobody replicates', async () => {
    const { port, waits } = scripted({ alone: [[['5', null], 0, []]], inOrder: [] })
    const { states } = await redis({ client: port }).records.seal(shardOf('k', 1), [total], call)
    expect(states).toEqual([5])
    expect(waits).toEqual([])
  })

  test.each([
    ['no replica has it in time', [answered([['5', null], 1, []]), answered(0)]],
    ['the connection is lost before it is known', [answered([['5', null], 1, []]), lost]],
    ['it cannot be repeated', [lost, lost]],
  ])('is «unknown» when %s', async (_, pair) => {
    const { port, waits } = scripted({ alone: [[['5', null], 1, []]], inOrder: [pair] })
    const sealing = redis({ client: port, replicaWaitMs: 70 }).records.seal(shardOf('k', 1), [total], call)
    expect(await failureOf(sealing)).toMatchObject({ kind: 'unknown' })
    expect(waits).toEqual([['wait', '1', '70']])
  })
})

describe('a key that has moved', () => {
  afterEach(() => vi.useRealTimers())

  const moved: CommandAnswer = { status: 'failed', error: new Error('MOVED 7 127.0.0.1:7001') }

  test('is looked for, and its change repeated there', async () => {
    const confirmed = [answered([['5', null], 1, []]), answered(1)]
    const { port, waits } = scripted({
      alone: [[['5', null], 1, []], 'hash'],
      inOrder: [[moved, answered(0)], confirmed],
    })
    const { states } = await redis({ client: port }).records.seal(shardOf('k', 1), [total], call)
    expect(states).toEqual([5])
    expect(waits).toHaveLength(2)
  })

  test('is looked for again a little later when the client was told an old place', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    const confirmed = [answered([['5', null], 1, []]), answered(1)]
    const stale = Array.from({ length: 3 }, () => [moved, answered(0)])
    const { port, waits } = scripted({
      alone: [[['5', null], 1, []], 'hash', 'hash', 'hash'],
      inOrder: [...stale, confirmed],
    })
    const sealing = redis({ client: port }).records.seal(shardOf('k', 1), [total], call)
    await vi.advanceTimersByTimeAsync(10 + 20 - 1)
    expect(waits).toHaveLength(3)
    await vi.advanceTimersByTimeAsync(1)
    expect((await sealing).states).toEqual([5])
    expect(waits).toHaveLength(4)
  })

  test('is given up when it was looked for seven times in vain', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    const { port, waits } = scripted({
      alone: Array.from({ length: 7 }, () => 'hash'),
      inOrder: Array.from({ length: 9 }, () => [moved, answered(0)]),
    })
    const writing = failureOf(addOne(redis({ client: port, writeReplicas: 1 }), 'k', 1))
    await vi.advanceTimersByTimeAsync(10 + 20 + 40 + 80 + 160 + 320)
    expect(await writing).toMatchObject({ kind: 'unavailable', message: /MOVED/ })
    expect(waits).toHaveLength(8)
  })
})

describe('a write that waits for replicas', () => {
  test.each([
    ['unknown', 'done', answered(1)],
    ['unknown', 'done', lost],
    ['done', 'done', answered(2)],
    ['sealed', 'sealed', answered(0)],
  ])('is %s when the script says %s and WAIT %o', async (outcome, said, waited) => {
    const { port, waits } = scripted({ alone: [], inOrder: [[answered(said), waited]] })
    const writing = addOne(redis({ client: port, writeReplicas: 2 }), 'k', 1).then(
      ({ status }) => status,
      (error: unknown) => (error as { kind?: string }).kind,
    )
    expect(await writing).toBe(outcome)
    expect(waits).toEqual([['wait', '2', '500']])
  })
})
