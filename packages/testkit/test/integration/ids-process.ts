// Makes clients in a process and in a thread of it, has each write once, and tells as whom they wrote.

import { once } from 'node:events'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'

import { createClient, memory, sum, type Backend } from '@spillway/core'

/** As whom clients wrote. */
export type Writers = readonly string[]

const clientCount = 250

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
if (isMainThread) {
  // Threads do not inherit what lets the process run TypeScript.
  const loading = "import('tsx/esm/api').then(({ register }) => { register(); return import(workerData) })"
  const code = `const { workerData } = require('node:worker_threads'); ${loading}`
  const [others] = (await once(new Worker(code, { eval: true, workerData: import.meta.url }), 'message')) as [Writers]
  process.send?.([...writers, ...others])
} else parentPort?.postMessage(writers, [])
