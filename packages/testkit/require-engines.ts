// Run by vitest once before the tests that need engines, so that their workers do not all install one at a time.

import { requireServer } from './src/engines/redis-process.js'

/** Finds what the engines need, or installs it. Throws with what to install. */
export default function requireEngines(): void {
  requireServer()
}
