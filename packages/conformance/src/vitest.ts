import * as vitest from 'vitest'

import { describeBackend as describeWith } from './describe-backend.js'
import type { Harness } from './harness.js'

export type { Ending, Harness } from './harness.js'

/**
 * Declares a vitest test for every rule, to be run one after the other. `name` heads them. Throws `InvalidArgumentError` for a
 * harness that makes no sense.
 */
export function describeBackend(name: string, harness: Harness): void {
  describeWith(name, harness, {
    describe: (title, body) => void vitest.describe.sequential(title, body),
    test: (title, body, timeoutMs) => vitest.test(title, { timeout: timeoutMs }, (context) => body(noteFor(context))),
    afterAll: vitest.afterAll,
  })
}

/** Before version 3.2 there are no annotations; the report has the note all the same. */
function noteFor(context: Partial<vitest.TestContext>): (text: string) => void {
  return (text) => void context.annotate?.(text, 'conformance')
}
