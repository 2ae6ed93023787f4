import { afterAll, describe, test, type TestContext } from 'vitest'

import { describeBackend as describeWith } from './describe-backend.js'
import type { Harness } from './harness.js'

export type { Ending, Harness } from './harness.js'

/**
 * Declares a vitest test for every rule, to be run one after the other. `name` heads them. Throws `InvalidArgumentError` for a
 * harness that makes no sense.
 */
export function describeBackend(name: string, harness: Harness): void {
  describeWith(name, harness, {
    describe: (title, body) => void describe.sequential(title, body),
    test: (title, body, timeoutMs) => test(title, { timeout: timeoutMs }, (context) => body(noteFor(context))),
    afterAll,
  })
}

/** Before version 3.2 there are no annotations; the report has the note all the same. */
function noteFor(context: Partial<TestContext>): (text: string) => void {
  return (text) => void context.annotate?.(text, 'conformance')
}
