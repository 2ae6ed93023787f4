import { describe, expect, test } from 'vitest'

import { redis, type CommandAnswer, type RedisCommand, type RedisPort } from '../../src/index.js'
import { addOne, call, shardOf } from '../requests.js'

/** A client with two connections, by the first letter of a key, whose WAITs last until they are let go. */
function hanging() {
  const sent: string[] = []
  const held: (() => void)[] = []
  const port: RedisPort = {
    name: 'hanging',
    send: () => Promise.resolve(1), // one replica is attached
    sendInOrder(_key, commands) {
      sent.push(commands.map(briefly).join(' '))
      const answers = commands.map((command): CommandAnswer => ({ status: 'answered', value: answerTo(command) }))
      return new Promise((resolve) => held.push(() => resolve(answers)))
    },
    sendToPrimaries: () => Promise.resolve([]),
    resendCount: () => 0,
    connectionOf: (key) => key[0],
  }
  return { port, sent, letGo: () => held.shift()?.() }
}

function answerTo([name]: RedisCommand): unknown {
  return name === 'wait' ? 1 : 'done'
}

/** The key of a script, or WAIT and its arguments. */
function briefly(command: RedisCommand): string {
  return command[0] === 'wait' ? command.join(' ') : (command[3] as string)
}

/** What has been resolved goes on. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

describe('a replica that hangs', () => {
  test('holds up each connection with one WAIT at a time, shared by the stamps of all who came meanwhile', async () => {
    const { port, sent, letGo } = hanging()
    const { records } = redis({ client: port })
    const stamped = ['a1', 'a2', 'a3', 'b1', 'a4'].map(async (key) =>
      records.stampRoute?.(shardOf(key), { revision: 1, text: 'route' }, call),
    )
    await turn()
    expect(sent).toEqual(['a1 wait 1 500', 'b1 wait 1 500'])
    letGo()
    await turn()
    expect(sent).toEqual(['a1 wait 1 500', 'b1 wait 1 500', 'a2 a3 a4 wait 1 500'])
    letGo()
    letGo()
    await Promise.all(stamped)
  })

  test('is waited for anew by a change that comes after a WAIT was sent', async () => {
    const { port, sent, letGo } = hanging()
    const backend = redis({ client: port, writeReplicas: 1 })
    const first = addOne(backend, 'a', 1)
    const second = addOne(backend, 'a', 2)
    await turn()
    letGo()
    expect(await first).toEqual({ status: 'done' })
    await turn()
    expect(sent).toEqual(['a wait 1 500', 'a wait 1 500'])
    letGo()
    expect(await second).toEqual({ status: 'done' })
  })

  test('has at most 64 changes share a WAIT, and at most 4,096 wait for one', async () => {
    const { port, sent, letGo } = hanging()
    const backend = redis({ client: port, writeReplicas: 1 })
    const writes = Array.from({ length: 1 + 4_096 + 1 }, (_, i) =>
      addOne(backend, `a${i}`, 1).then(
        ({ status }) => status,
        (error: unknown) => (error as { kind: string }).kind,
      ),
    )
    expect(await writes.at(-1)).toBe('unavailable')
    for (let batch = 0; batch < 65; batch++) {
      letGo()
      await turn()
    }
    const outcomes = await Promise.all(writes)
    expect(outcomes.filter((outcome) => outcome === 'done')).toHaveLength(4_097)
    const sizes = sent.map((batch) => batch.split(' ').length - 3)
    expect(sizes).toEqual([1, ...Array<number>(64).fill(64)])
  })
})
