import { fork } from 'node:child_process'
import { once } from 'node:events'

import type { Addresses, ServiceName } from '@spillway/testkit'

/** Engines in a process of their own. */
export interface EngineProcess {
  /** Where they answer. */
  readonly addresses: Addresses
  /** Takes them down. */
  close(): Promise<void>
}

/** Starts engines in a process of their own and waits until they are ready. They end with this process at the latest. */
export async function startEngines(...names: readonly ServiceName[]): Promise<EngineProcess> {
  const child = fork(new URL('engines.js', import.meta.url), names, { execArgv: [] }) // beside this file once both are built
  const ended = once(child, 'exit')
  const started = once(child, 'message') as Promise<[Addresses]>
  const [addresses] = await Promise.race([
    started,
    ended.then(([code]) => Promise.reject(new Error(`The engines did not start (exit code ${String(code)}).`))),
  ])
  return {
    addresses,
    close: async () => {
      if (child.connected) child.disconnect()
      await ended
    },
  }
}
