import { describe, test } from 'vitest'

import { describeBackend as describeWith } from './describe-backend.js'
import type { Harness } from './harness.js'

export type { Harness } from './harness.js'

/** Declares a vitest test for every rule that the harness can run. `name` heads them. */
export function describeBackend(name: string, harness: Harness): void {
  describeWith(name, harness, { describe, test })
}
