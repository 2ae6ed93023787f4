import { pause } from '../time/wait.js'
import type { ChaosClient } from './chaos-client.js'
import { endTask, type ChaosTask } from './chaos-orders.js'
import { readAllBack } from './chaos-reader.js'
import { ChaosWorker } from './chaos-worker.js'
import { Ledger } from './ledger.js'

/** A client that an adapter's script has opened, with what the ledger is told of it. */
export interface OpenedChaosClient extends ChaosClient {
  /** As `Client.on`. */
  on(
    name: 'route-changed',
    listener: (route: {
      readonly key: string
      readonly phase: string
      readonly read: number
      readonly write: number
      readonly revision: number
    }) => void,
  ): unknown
  /** Closes everything that was opened. */
  close(): Promise<void>
}

const startPauseMs = 300

/** What a process of a chaos run does: works until it is told to come to an end, or reads everything back. */
export async function runChaosProcess(
  { orders, finish }: ChaosTask,
  open: () => Promise<OpenedChaosClient>,
): Promise<void> {
  const ledger = new Ledger(orders.path, orders.name)
  const client = await opened(open, ledger, finish)
  if (client !== undefined) {
    process.send?.('opened')
    client.on('route-changed', ({ key, phase, read, write, revision }) =>
      ledger.note('route', key, phase, read, write, revision),
    )
    if (orders.role === 'reader') await readAllBack(client, orders)
    else await new ChaosWorker(client, orders, ledger).run(finish)
    await client.close()
  }
  ledger.note('event', 'ended')
  ledger.close()
  endTask()
}

/** A process may begin in the middle of an outage; then it begins again. */
async function opened(open: () => Promise<OpenedChaosClient>, ledger: Ledger, stop: AbortSignal) {
  while (!stop.aborted) {
    try {
      return await open()
    } catch (error) {
      if ((error as { readonly retryable?: unknown }).retryable !== true) throw error
      ledger.noteFailure('open', error)
      await pause(startPauseMs)
    }
  }
  return undefined
}
