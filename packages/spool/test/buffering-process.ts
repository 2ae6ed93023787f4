// One life of a process that buffers changes until it is killed, and names each that was accepted on its standard output. Told
// to drain, it writes nothing of its own, waits until what earlier lives have left is written, and ends.

import { createClient } from '@spillway/core'
import { spool } from '@spillway/spool'
import { pause } from '@spillway/testkit'

import { keyOf, rules } from './ledger.js'
import { connected } from './stores.js'

const [address, path, life, pauseMs] = process.argv.slice(2) as [string, string, string, string]
const connection = connected(address)
const client = await createClient({
  backend: connection.backend,
  spool: spool({ path }),
  collapse: { windowMs: 20 },
  detection: { hotWritesPerSecond: 20 },
  limits: { requestTimeoutMs: 5_000, writeTimeoutMs: 20_000 }, // engines share few cores with other tests
})
const records = client.records('spooled', rules)
process.stdout.write('ready\n')

if (life === 'drain') {
  await pause(0)
  const report = await client.flush()
  const { kept } = await client.close()
  connection.close()
  process.stdout.write(`${JSON.stringify({ failureCount: report.failureCount, kept })}\n`)
} else {
  for (let number = 0; ; number += 1) {
    const id = `${life}.${number}`
    records.write(keyOf(number), { n: 1, ids: [id] }, { ack: 'buffered' }).then(
      () => process.stdout.write(`${id}\n`),
      (error: unknown) => process.stdout.write(`refused ${id}: ${String(error)}\n`),
    )
    if (number % 4 === 3) await pause(Number(pauseMs))
  }
}
