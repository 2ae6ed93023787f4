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

/** Starts a process that adds 1 to a key so many times through a cluster. */
export function runProcess(addresses: readonly NodeAddress[], key: string, count: number): Promise<Report> {
  const ports = addresses.map(({ port }) => port).join(',')
  return new Promise((resolve, reject) => {
    execFile(process.execPath, ['--import', 'tsx', script, ports, key, String(count)], (error, stdout) => {
      if (error === null) resolve(JSON.parse(stdout) as Report)
      else reject(new Error('A process of the fleet failed.', { cause: error }))
    })
  })
}
