import { checkRule } from './check-rule.js'
import { checkHarness, type Harness } from './harness.js'
import { outcomeOf, reportOf, type Report, type RuleReport } from './report.js'
import { chapters, ruleIds } from './rules.js'

/**
 * Tries every rule, one after the other, without a test runner. `name` heads the report. Rejects with `InvalidArgumentError` for
 * a harness that makes no sense, and with what its own `open` or `close` fails with.
 */
export async function checkBackend(name: string, harness: Harness): Promise<Report> {
  checkHarness(harness, ruleIds)
  const reports: RuleReport[] = []
  for (const { title, rules } of chapters) {
    for (const rule of rules) {
      const outcome = outcomeOf(rule, harness, await checkRule(rule, harness))
      reports.push({ id: rule.id, chapter: title, claim: rule.claim, ...outcome })
    }
  }
  return reportOf(name, reports)
}
