import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  boundedFile,
  boundedFunctions,
  documentedExports,
  noConsole,
  noLeftovers,
  noOwnTimeOrChance,
  noSkippedTests,
  noStarExports,
  parse,
  type Rule,
  rulesFor,
} from './tidy.js'

const root = resolve(import.meta.dirname, '../..')

function breachesIn(rule: Rule, text: string) {
  return rule(parse('sample.ts', text))
}

/** A function of so many lines, its braces included. */
function functionOf(lineCount: number) {
  return `function f() {\n${'f()\n'.repeat(lineCount - 2)}}\n`
}

interface Case {
  readonly claim: string
  readonly rule: Rule
  readonly bad: readonly string[]
  readonly good: readonly string[]
}

const cases: Case[] = [
  {
    claim: 'time and chance come from their ports alone',
    rule: noOwnTimeOrChance,
    bad: [
      'const now = Date.now()',
      'const now = new Date()',
      'const now = performance.now()',
      'setTimeout(() => {}, 1)',
      'const later = setInterval',
      'const options = { later: setImmediate }',
      'globalThis.setTimeout(() => {}, 1)',
      'const dice = Math.random()',
      'crypto.getRandomValues(bytes)',
      "import { randomBytes } from 'node:crypto'",
      "import { createHmac, randomBytes as bytes } from 'node:crypto'",
      "import crypto, { createHmac } from 'node:crypto'",
      "import { setTimeout as sleep } from 'node:timers/promises'",
      "const timers = await import('timers')",
      'const at = process.hrtime.bigint()',
      'const signal = AbortSignal.timeout(5)',
    ],
    good: [
      'queueMicrotask(() => {})',
      'clock.setTimeout(() => {}, 1)',
      'const now = clock.nowMs()',
      'const dice = random.next() + Math.floor(1)',
      'function f(at: Date): void {}',
      'const names = { Date: 1 }',
      "import { channel } from 'node:diagnostics_channel'",
      "import { createHmac, timingSafeEqual } from 'node:crypto'",
      '// Date.now() and setTimeout are banned',
    ],
  },
  {
    claim: 'a file ends at 400 lines',
    rule: boundedFile,
    bad: ['f()\n'.repeat(401)],
    good: ['f()\n'.repeat(400)],
  },
  {
    claim: 'a function ends at 70 lines, a chapter of tests does not',
    rule: boundedFunctions,
    bad: [functionOf(71), `const f = () => {\n${'f()\n'.repeat(69)}}\n`, `class A { f() {\n${'f()\n'.repeat(69)}} }\n`],
    good: [functionOf(70), `describe('a chapter', () => {\n${'f()\n'.repeat(99)}})\n`],
  },
  {
    claim: 'every export has a doc comment',
    rule: documentedExports,
    bad: [
      'export const a = 1',
      'export function f() {}',
      'export class A {}',
      'export interface A {}',
      'export type A = 1',
      'export default function () {}',
      '// A line comment.\nexport const a = 1',
    ],
    good: [
      '/** What it is. */\nexport const a = 1',
      '/** What it does. */\nexport function f(): void\nexport function f(a?: 1): void {}',
      'const a = 1\nexport { a }',
      "export { a } from './a.js'",
    ],
  },
  {
    claim: 'names are exported one by one',
    rule: noStarExports,
    bad: ["export * from './a.js'", "export * as a from './a.js'", "export type * from './a.js'"],
    good: ["export { a } from './a.js'", "import * as a from './a.js'"],
  },
  {
    claim: 'no test is left out',
    rule: noSkippedTests,
    bad: [
      "test.only('a', f)",
      "it.skip('a', f)",
      "describe.skip('a', f)",
      "test.todo('a')",
      "test.fails('a', f)",
      "test.concurrent.skip('a', f)",
    ],
    good: ["test('only, skip and todo are words', f)", "test.each([1])('a', f)", 'reader.skip(4)'],
  },
  {
    claim: 'a library does not print',
    rule: noConsole,
    bad: ["console.log('a')", 'const print = console.error'],
    good: ["telemetry.emit('a')", '// console.log'],
  },
  {
    claim: 'nothing is left to do in a comment',
    rule: noLeftovers,
    bad: ['_TODO', '_FIXME', '_XXX', '_HACK'].map((mark) => `const a = 1 // ${mark.slice(1)}: later`),
    good: ['const a = 1 // all done', 'const todos = []', "const hex = 'XXXX'"],
  },
]

describe.each(cases)('the rule that $claim', ({ rule, bad, good }) => {
  test.each(bad)('catches %j', (text) => {
    expect(breachesIn(rule, text)).not.toEqual([])
  })

  test.each(good)('lets %j pass', (text) => {
    expect(breachesIn(rule, text)).toEqual([])
  })
})

test('a breach names its line', () => {
  expect(breachesIn(noConsole, '\n\nconsole.log(1)\n')).toEqual([
    { line: 3, message: 'console is banned here: emit an event' },
  ])
})

test('time and chance may be used where their ports are implemented, and in tests', () => {
  expect(rulesFor('packages/core/src/collapse/window.ts')).toContain(noOwnTimeOrChance)
  expect(rulesFor('packages/core/src/time/system-clock.ts')).not.toContain(noOwnTimeOrChance)
  expect(rulesFor('packages/core/src/chance/system-random.ts')).not.toContain(noOwnTimeOrChance)
  expect(rulesFor('packages/core/test/unit/client.test.ts')).not.toContain(noOwnTimeOrChance)
})

test('the repository keeps the house rules', () => {
  const paths = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
    .split('\n')
    .filter((path) => /\.(ts|mts|cts|mjs|cjs|js|json|md|yml|yaml)$/.test(path))
    .filter((path) => path !== 'package-lock.json' && existsSync(join(root, path)))
  const breaches = paths.flatMap((path) => {
    const file = parse(path, readFileSync(join(root, path), 'utf8'))
    return rulesFor(path).flatMap((rule) => rule(file).map(({ line, message }) => `${path}:${line} ${message}`))
  })
  expect(paths.length).toBeGreaterThan(20)
  expect(breaches.join('\n')).toBe('')
})
