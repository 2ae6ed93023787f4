import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

import { waitUntil } from '@spillway/testkit'
import { afterEach, describe, expect, test } from 'vitest'

let child: ChildProcess | undefined
let output = ''

/** What README.md says to run; `npx tsx` would keep signals from it. */
function start(...args: readonly string[]): ChildProcess {
  output = ''
  child = spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'main.ts'), ...args])
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (data: Buffer) => {
      output += data.toString()
    })
  return child
}

afterEach(() => child?.kill('SIGKILL'))

describe('the server', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('closes at %s, and says that nothing was lost', async (signal) => {
    const server = start('--port', '0', '--hot', 'a')
    await waitUntil('it listens', () => output.includes('listening'), 60_000)
    const url = /http:\S+\d/.exec(output)?.[0]
    const event = JSON.stringify({ actor: 'ann', verb: 'edited', object: 'A' })
    expect((await fetch(`${url}/feeds/a/events`, { method: 'POST', body: event })).status).toBe(201)
    server.kill(signal)
    expect(await once(server, 'exit')).toEqual([0, null])
    expect(output).toContain(`${signal}: answering what has come in`)
    expect(output.replaceAll(/\s+/g, ' ')).toContain(
      'closed: { failures: [], failureCount: 0, closeError: undefined, kept: undefined }',
    )
  })

  test.each([
    [['--backend', 'mysql'], '--backend must be memory, redis or dynamodb, but was mysql'],
    [['--port', 'http'], '--port must be 0 to 65535, but was http'],
    [['--speed', '1'], "Unknown option '--speed'"],
    [['--backend', 'redis', '--address', 'redis://127.0.0.1:1'], 'Redis: connect ECONNREFUSED 127.0.0.1:1'],
  ])('refuses %j', async (args, message) => {
    const [code] = (await once(start(...args), 'close')) as [number]
    expect({ code, output }).toEqual({ code: 1, output: expect.stringContaining(message) as string })
  })
})
