import { once } from 'node:events'
import { connect, createServer } from 'node:net'

import { expect, test } from 'vitest'

import { startFaultProxy, waitUntil } from '../../src/index.js'

test('an answer that is held back is not overtaken by one that is held back for less, or not at all', async () => {
  let echoed = ''
  const engine = createServer((socket) => {
    socket.on('data', (chunk: Buffer) => {
      echoed += chunk.toString()
      socket.write(chunk)
    })
  })
  engine.listen(0, '127.0.0.1')
  await once(engine, 'listening')
  const { port } = engine.address() as { readonly port: number }
  const proxy = await startFaultProxy({ port, faults: { delay: 1, delayMs: 150 } })
  const client = connect({ port: proxy.port, host: '127.0.0.1', noDelay: true })
  let answered = ''
  client.on('data', (chunk: Buffer) => (answered += chunk.toString()))

  for (const [text, faults] of [
    ['a', { delay: 1, delayMs: 5 }],
    ['b', {}],
    ['c', {}],
  ] as const) {
    client.write(text)
    await waitUntil('the engine has it', () => echoed.endsWith(text))
    proxy.faults = faults
  }
  await waitUntil('all is answered', () => answered.length === 3)
  expect(answered).toBe('abc')

  client.destroy()
  await proxy.close()
  engine.close()
})
