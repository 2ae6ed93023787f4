// Makes clients, has each write once, and tells as whom they wrote. Runs as a process and as a thread.

import { parentPort } from 'node:worker_threads'

import { createClient, memory, sum, type Backend } from '@spillway/core'

const clientCount = 100

async function writerOfNewClient(): Promise<string | undefined> {
  let writer: string | undefined
  const store = memory()
  const backend: Backend = {
    ...store,
    records: {
      read: (...args) => store.records.read(...args),
      seal: (...args) => store.records.seal(...args),
      absorb: (...args) => store.records.absorb(...args),
      clear: (...args) => store.records.clear(...args),
      write(write, call) {
        writer = write.stamp?.writer
        return store.records.write(write, call)
      },
    },
  }
  await using client = await createClient({ backend, sharding: { fanoutMax: 1 } }) // no heat is reported
  await client.records('views', { views: sum() }).write('home', { views: 1 })
  return writer
}

const writers = await Promise.all(Array.from({ length: clientCount }, writerOfNewClient))
if (parentPort === null) process.send?.(writers)
else parentPort.postMessage(writers)
