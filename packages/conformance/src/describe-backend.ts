// Problem: an adapter that is almost right loses or doubles writes on its worst day, and passes every test of its own.
// Scheme: the contract as rules with ids; each is one test on a backend of its own. The kit brings the rules, the harness the
//   backend, and the caller the test runner.
// Invariants: each rule has a broken backend that it catches (test/mutants of this package); each rule is a test, also one that
//   does not apply or is waived, and says so.
// Cost: some thousand requests to the store.
// Source: keyv's test suite, for the shape; docs/routing.md, for the rules.

import { checkRule, type Verdict } from './check-rule.js'
import { checkHarness, timeoutMsOf, type Harness } from './harness.js'
import { publishReport } from './publish-report.js'
import { outcomeOf, reportOf, type Outcome, type RuleReport } from './report.js'
import { lacksHook, type Rule } from './rule.js'
import { RuleBrokenError } from './rule-broken-error.js'
import { chapters, ruleIds } from './rules.js'
import type { Runner } from './runner.js'

/**
 * Declares a test for every rule in the runner that is handed in. `name` heads them. Throws `InvalidArgumentError` for a harness
 * that makes no sense, such as one with a waiver of no rule.
 */
export function describeBackend(name: string, harness: Harness, runner: Runner): void {
  checkHarness(harness, ruleIds)
  const timeoutMs = 2 * timeoutMsOf(harness) // the harness needs time of its own to open and close
  runner.describe(name, () => {
    const reports: RuleReport[] = []
    for (const chapter of chapters) {
      runner.describe(chapter.title, () => {
        for (const rule of chapter.rules) {
          const body = async (note: (text: string) => void): Promise<void> => {
            const verdict = await checkRule(rule, harness)
            const outcome = outcomeOf(rule, harness, verdict)
            reports.push({ id: rule.id, chapter: chapter.title, claim: rule.claim, ...outcome })
            tell(rule, verdict, outcome, note)
          }
          runner.test(titleOf(rule, harness), body, timeoutMs)
        }
      })
    }
    runner.afterAll(() => publishReport(reportOf(name, reports)))
  })
}

/** What is known of a rule before it is tried. */
function titleOf(rule: Rule, harness: Harness): string {
  const waiver = harness.waivers?.[rule.id]
  if (waiver !== undefined) return `${rule.id}: waived, ${waiver}`
  const missing = lacksHook(rule, harness)
  return missing === undefined ? `${rule.id}: ${rule.claim}` : `${rule.id}: not applicable, ${missing}`
}

/** Fails the test, or notes what is no failure. */
function tell(rule: Rule, verdict: Verdict, outcome: Outcome, note: (text: string) => void): void {
  switch (outcome.status) {
    case 'passed':
      return
    case 'broken':
      throw verdict.status === 'broken' ? verdict.error : new RuleBrokenError(outcome.message)
    case 'unneeded-waiver': {
      const found = verdict.status === 'not-applicable' ? `does not apply: ${verdict.reason}` : 'holds'
      throw new RuleBrokenError(`The rule ${rule.id} ${found}. Remove its waiver («${outcome.reason}»).`)
    }
    case 'waived':
      note(`${rule.id} is waived: ${outcome.message}`)
      return
    case 'not-applicable':
      note(`${rule.id} is not applicable: ${outcome.reason}`)
      return
    default:
      outcome satisfies never
  }
}
