import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

import { createClient, sum } from '@spillway/core'
import { dynamo } from '@spillway/dynamo'
import { waitUntil } from '@spillway/testkit'
import { expect, test } from 'vitest'

import { startBehind } from '../fixtures/engine.js'
import { call } from '../fixtures/records.js'
import { newTable } from '../fixtures/tables.js'

const here = join(import.meta.dirname, '..')
const root = join(here, '../../..')

interface Outcome {
  readonly acknowledged: number
  readonly unknown: number
}

async function started(endpoint: string, table: string, fanout: number): Promise<ChildProcess> {
  const child = fork(join(here, 'fixtures/writer-process.ts'), [endpoint, table, String(fanout)], {
    cwd: root,
    execArgv: ['--import', 'tsx', '--no-warnings'],
  })
  await once(child, 'message')
  return child
}

async function stopped(child: ChildProcess): Promise<Outcome> {
  const message = once(child, 'message')
  child.send('stop')
  const [outcome] = (await message) as [Outcome]
  return outcome
}

test(
  'processes that write one key through a growing route and lost answers keep its total exact',
  { timeout: 180_000 },
  async () => {
    const behind = await startBehind({ seed: 11 })
    const children: ChildProcess[] = []
    try {
      const table = await newTable(behind.direct)
      const backend = dynamo({ client: behind.direct, table })
      const written = async () => {
        const { routes = [] } = JSON.parse((await backend.directory.read(call)).text ?? '{}') as {
          routes?: unknown[][]
        }
        return routes[0]?.[1] === 'active' ? routes[0][3] : 1
      }
      const requests = () => behind.gateway.requests.get('UpdateItem') ?? 0
      children.push(await started(behind.gateway.endpoint, table, 1))
      behind.gateway.faults = { errorAfterEffect: 0.04, resetAfterEffect: 0.04, operations: ['UpdateItem'] }
      for (const fanout of [2, 8]) {
        children.push(await started(behind.gateway.endpoint, table, fanout))
        await waitUntil(`the route has ${fanout} shards`, async () => (await written()) === fanout, 50_000)
        const before = requests()
        await waitUntil('its shards have been written', () => requests() >= before + 120, 50_000)
      }
      const outcomes = await Promise.all(children.map(stopped))
      behind.gateway.faults = {}
      const acknowledged = outcomes.reduce((total, outcome) => total + outcome.acknowledged, 0)
      const unknown = outcomes.reduce((total, outcome) => total + outcome.unknown, 0)
      const reader = await createClient({ backend, routing: { refreshMs: 100, leaseMs: 600 } })
      const { views } = await reader.records('counter', { views: sum() }).read('hot')
      await reader.close()
      expect(behind.gateway.lostAnswerCount).toBeGreaterThan(10)
      expect(outcomes.every((outcome) => outcome.acknowledged > 0)).toBe(true)
      expect(views).toBeGreaterThanOrEqual(acknowledged)
      expect(views).toBeLessThanOrEqual(acknowledged + unknown)
    } finally {
      for (const child of children) if (child.exitCode === null) child.kill()
      await behind.close()
    }
  },
)
