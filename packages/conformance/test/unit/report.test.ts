import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { memory } from '@spillway/core'
import { checkBackend, formatReport, rules, type Harness, type Report } from '@spillway/conformance'
import { expect, onTestFinished, test } from 'vitest'
import { publishReport } from '../../src/publish-report.js'
import { withMerge } from '../mutants/mutant.js'

const open = () => memory()
/** Breaks `merge-max` and `merge-min`. */
const broken: Harness = {
  open: () => withMerge('min', (a: number) => a)(withMerge('max', (a: number) => a)(memory())),
  waivers: { 'merge-max': 'no maxima here', 'merge-sum': 'adds wrongly' },
}

function statusOf(report: Report, id: string): unknown {
  const { chapter, claim, ...rest } = report.rules.find((rule) => rule.id === id)!
  expect([typeof chapter, typeof claim]).toEqual(['string', 'string'])
  return rest
}

test('a report has every rule with its outcome, and counts them', async () => {
  const report = await checkBackend('almost', broken)
  expect(report.rules.map(({ id }) => id)).toEqual(rules.map(({ id }) => id))
  const message = 'Expected the field highest after 4 writes to be 12.5, but it was -3.'
  expect(statusOf(report, 'merge-sum-float')).toEqual({ id: 'merge-sum-float', status: 'passed' })
  expect(statusOf(report, 'merge-min')).toMatchObject({ status: 'broken' })
  expect(statusOf(report, 'merge-max')).toEqual({
    id: 'merge-max',
    status: 'waived',
    reason: 'no maxima here',
    message,
  })
  expect(statusOf(report, 'merge-sum')).toEqual({ id: 'merge-sum', status: 'unneeded-waiver', reason: 'adds wrongly' })
  expect(statusOf(report, 'errors-read')).toEqual({
    id: 'errors-read',
    status: 'not-applicable',
    reason: 'the harness has no outage()',
  })
  const { counts } = report
  expect(counts).toMatchObject({ waived: 1, 'unneeded-waiver': 1 })
  expect(Object.values(counts).reduce((a, b) => a + b)).toBe(rules.length)
  expect(JSON.parse(JSON.stringify(report))).toEqual(report)
})

test('a backend conforms unless a rule is broken or a waiver is not needed', async () => {
  expect((await checkBackend('memory()', { open })).isConforming).toBe(true)
  expect((await checkBackend('almost', broken)).isConforming).toBe(false)
  const waived = await checkBackend('almost', { open, waivers: { 'merge-sum': 'adds wrongly' } })
  expect([waived.isConforming, waived.counts.broken]).toEqual([false, 0])
})

test('a harness that makes no sense makes no report', async () => {
  await expect(checkBackend('x', { open, waivers: { nothing: 'none' } })).rejects.toThrow(
    'harness.waivers must be made of ids of rules, but was "nothing". The report lists them.',
  )
})

test('a report for people is a table with a line a rule and a count', () => {
  const rule = { chapter: 'merging', claim: 'Holds.' }
  const text = formatReport({
    backend: 'almost',
    isConforming: false,
    counts: { passed: 1, broken: 1, waived: 1, 'unneeded-waiver': 1, 'not-applicable': 1 },
    rules: [
      { ...rule, id: 'a', status: 'passed' },
      { ...rule, id: 'b', status: 'broken', message: 'Expected 1,\n  but it was 2.' },
      { ...rule, id: 'c', status: 'waived', reason: 'no need', message: 'Expected 3.' },
      { ...rule, id: 'd', status: 'unneeded-waiver', reason: 'no need' },
      { ...rule, id: 'e-long', status: 'not-applicable', reason: 'the harness has no outage()' },
    ],
  })
  expect(text).toBe(
    `
almost

chapter  rule    outcome          why
merging  a       passed
merging  b       BROKEN           Expected 1, but it was 2.
merging  c       waived           no need (Expected 3.)
merging  d       UNNEEDED WAIVER  remove the waiver: no need
merging  e-long  not applicable   the harness has no outage()

5 rules: 1 passed, 1 BROKEN, 1 waived, 1 UNNEEDED WAIVER, 1 not applicable. It does not conform.
`.trim(),
  )
})

test('a report is written as JSON where the environment asks for it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'spillway-report-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const report = await checkBackend('memory(), once more', { open })
  await publishReport(report, join(folder, 'reports'))
  const written: unknown = JSON.parse(await readFile(join(folder, 'reports', 'memory-once-more.json'), 'utf8'))
  expect(written).toEqual(report)
})
