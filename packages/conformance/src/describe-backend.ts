// Problem: an adapter that is almost right loses or doubles writes on its worst day, and passes every test of its own.
// Scheme: the contract as rules with ids; each is one test on a backend of its own. The kit brings the rules, the harness the
//   backend, and the caller the test runner.
// Invariants: each rule has a broken backend that it catches (test/mutants of this package).
// Cost: a few hundred requests to the store.
// Source: keyv's test suite, for the shape; docs/routing.md, for the rules.

import { canCheck, checkRule } from './check-rule.js'
import type { Harness } from './harness.js'
import { chapters } from './rules.js'
import type { Runner } from './runner.js'

/** Declares a test for every rule that the harness can run, in the runner that is handed in. `name` heads them. */
export function describeBackend(name: string, harness: Harness, runner: Runner): void {
  runner.describe(name, () => {
    for (const chapter of chapters) {
      const rules = chapter.rules.filter((rule) => canCheck(rule, harness))
      if (rules.length === 0) continue
      runner.describe(chapter.title, () => {
        for (const rule of rules) runner.test(`${rule.id}: ${rule.claim}`, () => checkRule(rule, harness))
      })
    }
  })
}
