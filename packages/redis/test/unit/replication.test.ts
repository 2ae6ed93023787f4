import { describe, expect, test } from 'vitest'

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
    const { port } = scripted({ alone: [[['5', null], 1]], inOrder: [[answered([['7', null], 1]), answered(1)]] })
    const { states } = await redis({ client: port }).records.seal(shardOf('k', 1), [total], call)
    expect(states).toEqual([7])
  })

  test('waits for nobody where nobody replicates', async () => {
    const { port, waits } = scripted({ alone: [[['5', null], 0]], inOrder: [] })
    const { states } = await redis({ client: port }).records.seal(shardOf('k', 1), [total], call)
    expect(states).toEqual([5])
    expect(waits).toEqual([])
  })

  test.each([
    ['no replica has it in time', [answered([['5', null], 1]), answered(0)]],
    ['the connection is lost before it is known', [answered([['5', null], 1]), lost]],
    ['it cannot be repeated', [lost, lost]],
  ])('is «unknown» when %s', async (_, pair) => {
    const { port, waits } = scripted({ alone: [[['5', null], 1]], inOrder: [pair] })
    const sealing = redis({ client: port, replicaWaitMs: 70 }).records.seal(shardOf('k', 1), [total], call)
    expect(await failureOf(sealing)).toMatchObject({ kind: 'unknown' })
    expect(waits).toEqual([['wait', '1', '70']])
  })
})

describe('a key that has moved', () => {
  const moved: CommandAnswer = { status: 'failed', error: new Error('MOVED 7 127.0.0.1:7001') }

  test('is looked for, and its change repeated there', async () => {
    const confirmed = [answered([['5', null], 1]), answered(1)]
    const { port, waits } = scripted({ alone: [[['5', null], 1], 'hash'], inOrder: [[moved, answered(0)], confirmed] })
    const { states } = await redis({ client: port }).records.seal(shardOf('k', 1), [total], call)
    expect(states).toEqual([5])
    expect(waits).toHaveLength(2)
  })

  test('is given up when it has moved once more', async () => {
    const { port, waits } = scripted({
      alone: ['hash'],
      inOrder: [
        [moved, answered(0)],
        [moved, answered(0)],
      ],
    })
    const writing = addOne(redis({ client: port, writeReplicas: 1 }), 'k', 1)
    expect(await failureOf(writing)).toMatchObject({ kind: 'unavailable', message: /MOVED/ })
    expect(waits).toHaveLength(2)
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
