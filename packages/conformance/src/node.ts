import * as runner from 'node:test'

import { describeBackend as describeWith } from './describe-backend.js'
import type { Harness } from './harness.js'

export type { Ending, Harness } from './harness.js'

/**
 * Declares a test of `node:test` for every rule, to be run one after the other. `name` heads them. Throws
 * `InvalidArgumentError` for a harness that makes no sense.
 */
export function describeBackend(name: string, harness: Harness): void {
  describeWith(name, harness, {
    describe: (title, body) => void runner.describe(title, body),
    test: (title, body, timeoutMs) =>
      void runner.test(title, { timeout: timeoutMs }, (context) => body((text) => context.diagnostic(text))),
    afterAll: runner.after,
  })
}
