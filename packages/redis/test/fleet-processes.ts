import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { NodeAddress } from '@spillway/testkit'

import type { Tally } from './fleet.js'

/** What a process of the fleet has to say in the end. */
export interface Report extends Tally {
  /** The most shards that it saw the key have. */
  readonly fanoutMost: number
}

const script = fileURLToPath(new URL('writer-process.ts', import.meta.url))

/** What a process is to do. */
export interface ProcessOrders {
  readonly key: string
  /** It adds 1 so many times before it waits for growth, and so many times afterwards; and on and on in between. */
  readonly count: number
  /** It declares that the key has so many shards; with 1 it declares nothing. */
  readonly declared: number
  /** It goes on until it has seen the key have so many shards. */
  readonly awaited: number
}

/** Starts a process that adds 1 to a key through a cluster, again and again. */
export function runProcess(addresses: readonly NodeAddress[], orders: ProcessOrders): Promise<Report> {
  const ports = addresses.map(({ port }) => port).join(',')
  const { key, count, declared, awaited } = orders
  const args = [ports, key, String(count), String(declared), String(awaited)]
  return new Promise((resolve, reject) => {
    execFile(process.execPath, ['--import', 'tsx', script, ...args], (error, stdout) => {
      if (error === null) resolve(JSON.parse(stdout) as Report)
      else reject(new Error('A process of the fleet failed.', { cause: error }))
    })
  })
}
