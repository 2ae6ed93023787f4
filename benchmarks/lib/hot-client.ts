import { type Backend, createClient } from '@spillway/core'

/** A client that calls a key hot at once and for good, and keeps its window open until it is flushed. */
export function hotClient(backend: Backend) {
  return createClient({
    backend,
    collapse: { windowMs: 60_000 },
    detection: { tickMs: 5, hotWritesPerSecond: 10, coolMs: 86_400_000 },
    sharding: { fanoutMax: 1 },
  })
}

/** Writes until the key is hot. */
export async function heat(client: Awaited<ReturnType<typeof hotClient>>, write: () => Promise<void>): Promise<void> {
  while (client.hotKeys().length === 0) {
    const written = Array.from({ length: 100 }, write)
    await client.flush()
    await Promise.all(written)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
