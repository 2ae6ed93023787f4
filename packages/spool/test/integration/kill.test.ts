import { createClient } from '@spillway/core'
import { seededRandom } from '@spillway/core/testing'
import { describe, expect, test } from 'vitest'

import { newFolder } from '../folder.js'
import { keys, rules } from '../ledger.js'
import { live } from '../lives.js'
import { connected, startDynamoStore, startRedisStore } from '../stores.js'

const lives = 10
const random = seededRandom(20_260)

describe('a process that is killed ten times', () => {
  test.each([
    ['Redis', startRedisStore, 3],
    ['DynamoDB', startDynamoStore, 12],
  ])(
    'has everything that it was told to be accepted in %s exactly once',
    async (_, start, pauseMs) => {
      const store = await start()
      const path = newFolder()
      const accepted: string[] = []
      try {
        for (let life = 0; life < lives; life++) {
          const killedAfterMs = 5 + Math.floor(random.next() * 700)
          const said = await live({ address: store.address, path, life: String(life), pauseMs, killedAfterMs })
          expect(said.filter((line) => line.startsWith('refused'))).toEqual([])
          accepted.push(...said)
        }
        const [report] = await live({ address: store.address, path, life: 'drain', pauseMs })
        expect(JSON.parse(report ?? '')).toEqual({ failureCount: 0, kept: [] })

        const connection = connected(store.address)
        const client = await createClient({ backend: connection.backend })
        const records = client.records('spooled', rules)
        const values = await Promise.all(keys.map((key) => records.read(key)))
        await client.close()
        connection.close()
        const stored = new Set(values.flatMap(({ ids }) => [...ids]))
        expect(accepted.filter((id) => !stored.has(id))).toEqual([])
        expect(values.map(({ n }) => n)).toEqual(values.map(({ ids }) => ids.size))
        console.info(`${accepted.length} accepted in ${lives} lives, ${stored.size} in the store`)
        expect(accepted.length).toBeGreaterThan(lives * 10)
      } finally {
        await store.close()
      }
    },
    180_000,
  )
})
