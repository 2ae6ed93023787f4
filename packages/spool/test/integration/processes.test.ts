import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { createClient, memory, sum } from '@spillway/core'
import { FakeClock, FaultyBackend } from '@spillway/core/testing'
import { spool } from '@spillway/spool'
import { expect, onTestFinished, test } from 'vitest'

import { newFolder } from '../folder.js'

const scriptOf = (name: string) => fileURLToPath(new URL(`../${name}.ts`, import.meta.url))

test('a spool that another process holds is refused, and free as soon as that is killed, stopped or not', async () => {
  const path = newFolder()
  const holder = spawn(process.execPath, ['--import', 'tsx', scriptOf('holding-process'), path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void holder.kill('SIGKILL'))
  await once(holder.stdout, 'data')
  await expect(spool({ path }).open()).rejects.toMatchObject({ code: 'SPOOL', reason: 'in-use' })
  holder.kill('SIGSTOP')
  await expect(spool({ path }).open()).rejects.toMatchObject({ code: 'SPOOL', reason: 'in-use' })
  holder.kill('SIGKILL')
  await once(holder, 'exit')
  const next = spool({ path })
  expect(await next.open()).toEqual([])
  await next.close()
})

test('a disk that is full refuses changes, keeps those that it took, and gives its room back', async () => {
  const command = `trap '' XFSZ; ulimit -f 3000; exec "$0" --import tsx "$1" "$2"`
  const args = ['-c', command, process.execPath, scriptOf('filling-process'), newFolder()]
  const { stdout } = await promisify(execFile)('bash', args, { env: { ...process.env, TSX_DISABLE_CACHE: '1' } })
  const { values, failureCount, kept } = JSON.parse(stdout) as {
    readonly values: readonly (readonly [outcome: string, n: number])[]
    readonly failureCount: number
    readonly kept: unknown
  }
  expect(new Set(values.map(([outcome]) => outcome))).toEqual(new Set(['accepted', 'SPOOL failed']))
  expect(values.map(([, n]) => n)).toEqual(values.map(([outcome]) => (outcome === 'accepted' ? 1 : 0)))
  expect([failureCount, kept]).toEqual([0, []])
})

test('what was sent before the retry horizon is reported, not written', async () => {
  const path = newFolder()
  const store = memory()
  const clock = new FakeClock()
  const rules = { n: sum() }
  const first = new FaultyBackend(store, { faults: { loseRequest: 1 }, clock })
  const dying = await createClient({ backend: first, clock, spool: spool({ path }) })
  await dying.records('count', rules).write('k', { n: 1 }, { ack: 'buffered' })
  const { kept } = await clock.run(dying.close(), 500)
  expect(kept).toEqual([{ record: 'count', changeCount: 1 }])

  clock.pause(300_000)
  const client = await createClient({ backend: store, clock, spool: spool({ path }) })
  client.records('count', rules)
  const reports = [await client.flush(), await client.close()]
  expect(reports.flatMap(({ failures }) => failures)).toMatchObject([{ key: 'k', error: { code: 'WRITE_UNKNOWN' } }])

  const reader = await createClient({ backend: store, clock, spool: spool({ path }) })
  expect(await reader.records('count', rules).read('k')).toEqual({ n: 0 })
  expect(await reader.close()).toMatchObject({ failureCount: 0, kept: [] })
})
