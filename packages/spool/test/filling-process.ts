// Buffers changes until the disk takes no more, then lets the backend have them, and says what became of each. Run under a limit
// on the size of files.

import { createClient, memory, sum, union } from '@spillway/core'
import { FaultyBackend } from '@spillway/core/testing'
import { spool } from '@spillway/spool'

const [path = ''] = process.argv.slice(2)
const backend = new FaultyBackend(memory(), { faults: { unavailable: 1 } })
const client = await createClient({ backend, spool: spool({ path }) })
const records = client.records('filled', { n: sum(), ids: union() })
const outcomes: (readonly [string, string])[] = []
for (let i = 0; i < 2_000; i++) {
  const key = `key ${i}`
  const outcome = await records.write(key, { n: 1, ids: ['x'.repeat(4_000)] }, { ack: 'buffered' }).then(
    () => 'accepted',
    (error: unknown) => `${(error as { code?: string }).code} ${(error as { reason?: string }).reason}`,
  )
  outcomes.push([key, outcome])
  if (outcome !== 'accepted' && outcomes.filter(([, other]) => other === outcome).length > 3) break
}
backend.heal()
const { failureCount } = await client.flush()
const values = await Promise.all(
  outcomes.map(async ([key, outcome]) => [outcome, (await records.read(key)).n] as const),
)
const { kept } = await client.close()
process.stdout.write(`${JSON.stringify({ values, failureCount, kept })}\n`)
