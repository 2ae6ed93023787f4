import type { Settings } from '../settings.js'
import type { DemoEngine } from './demo-store.js'
import { memoryEngine } from './memory-engine.js'

/** Opens what `--backend` names; another engine belongs here, in `arguments.ts`, and nowhere else. Throws `ArgumentError` when nobody answers at `--address`. */
export async function openEngine(settings: Settings): Promise<DemoEngine> {
  const { backend, address, seed } = settings
  switch (backend) {
    case 'memory':
      return memoryEngine(seed)
    // Clients of engines take a while to load, and who runs the demo in this process needs none of them.
    case 'redis':
    case 'redis-cluster':
      return (await import('./redis-engine.js')).redisEngine(backend, settings)
    case 'dynamodb':
      return (await import('./dynamo-engine.js')).dynamoEngine(address)
    default:
      return backend satisfies never
  }
}
