import type { Outcome, Report, RuleReport } from './report.js'

const words: Readonly<Record<Outcome['status'], string>> = {
  passed: 'passed',
  broken: 'BROKEN',
  waived: 'waived',
  'unneeded-waiver': 'UNNEEDED WAIVER',
  'not-applicable': 'not applicable',
}

const headings = ['chapter', 'rule', 'outcome', 'why'] as const

/** A report as a table of plain text: a line a rule, counts at the end. */
export function formatReport(report: Report): string {
  const rows = [
    headings,
    ...report.rules.map((rule) => [rule.chapter, rule.id, words[rule.status], whyOf(rule)] as const),
  ]
  const widths = headings.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  const counts = Object.entries(report.counts)
    .filter(([, count]) => count > 0)
    .map(([status, count]) => `${count} ${words[status as Outcome['status']]}`)
  const verdict = report.isConforming ? 'conforms' : 'does not conform'
  return [report.backend, '', ...lines, '', `${report.rules.length} rules: ${counts.join(', ')}. It ${verdict}.`].join(
    '\n',
  )
}

function whyOf(rule: RuleReport): string {
  switch (rule.status) {
    case 'passed':
      return ''
    case 'broken':
      return onOneLine(rule.message)
    case 'waived':
      return `${rule.reason} (${onOneLine(rule.message)})`
    case 'unneeded-waiver':
      return `remove the waiver: ${rule.reason}`
    case 'not-applicable':
      return rule.reason
    default:
      return rule satisfies never
  }
}

function onOneLine(message: string): string {
  return message.replaceAll(/\s+/g, ' ')
}
