import { setTimeout } from 'node:timers/promises'

/** Resolves after so long, or as soon as `signal` is aborted. */
export async function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  await setTimeout(durationMs, undefined, { signal }).catch(() => undefined)
}
