import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('buffering-process.ts', import.meta.url))

/** What a process is to do. */
export interface LifeOrders {
  readonly address: string
  readonly path: string
  /** The name of its changes, or `drain`. */
  readonly life: string
  /** How long it pauses after every four changes. */
  readonly pauseMs: number
  /** `SIGKILL` so long after it has begun to write; undefined lets it end by itself. */
  readonly killedAfterMs?: number
}

/** What a process has said, line by line, before it ended. */
export async function live({ address, path, life, pauseMs, killedAfterMs }: LifeOrders): Promise<readonly string[]> {
  const args = ['--import', 'tsx', script, address, path, life, String(pauseMs)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  let complaints = ''
  let isReady = false
  child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()))
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString()
    if (isReady || !said.includes('ready\n')) return
    isReady = true
    if (killedAfterMs !== undefined) setTimeout(() => child.kill('SIGKILL'), killedAfterMs)
  })
  const signal = await new Promise((resolve) => child.once('close', (_, endedBy) => resolve(endedBy)))
  const expected = killedAfterMs === undefined ? null : 'SIGKILL'
  if (signal !== expected || !isReady) throw new Error(`Life ${life} ended by ${String(signal)}: ${complaints}${said}`)
  // The last line may have been cut off: then the change was accepted, but nobody was told.
  return said.slice(0, said.lastIndexOf('\n')).split('\n').slice(1)
}
