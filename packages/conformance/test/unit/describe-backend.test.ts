import { memory } from '@spillway/core'
import { describeBackend, rules, type Harness } from '@spillway/conformance'
import { expect, test } from 'vitest'
import { withMerge } from '../mutants/mutant.js'

/** The tests that the kit declares for a harness, by title. */
function declared(harness: Harness): ReadonlyMap<string, () => Promise<readonly string[]>> {
  const tests = new Map<string, () => Promise<readonly string[]>>()
  describeBackend('a backend', harness, {
    describe: (_, body) => body(),
    test: (title, body) =>
      void tests.set(title, async () => {
        const notes: string[] = []
        await body((note) => notes.push(note))
        return notes
      }),
    afterAll: () => undefined,
  })
  return tests
}

/** Runs the test of a rule; answers with its title and what it noted. */
async function run(harness: Harness, id: string): Promise<readonly string[]> {
  const [title, body] = [...declared(harness)].find(([name]) => name.startsWith(`${id}: `))!
  return [title, ...(await body())]
}

const open = () => memory()
/** Breaks `merge-max`. */
const broken = () => withMerge('max', (a: number) => a)(memory())

test('every rule is a test that begins with its id, also where it does not apply', () => {
  const titles = [...declared({ open }).keys()]
  expect(titles.map((title) => title.split(': ')[0])).toEqual(rules.map(({ id }) => id))
  const applicable = rules.filter(({ needs = [] }) => !needs.includes('outage')).length
  expect(titles.filter((title) => title.endsWith(': not applicable, the harness has no outage()')).length).toBe(
    rules.length - applicable,
  )
})

test('a rule that holds passes and notes nothing', async () => {
  const title = 'merge-max: A max keeps the greatest number, in whatever order they come.'
  expect(await run({ open }, 'merge-max')).toEqual([title])
})

test('a rule that does not hold fails with what was expected and what came', async () => {
  await expect(run({ open: broken }, 'merge-max')).rejects.toThrow(
    'Expected the field highest after 4 writes to be 12.5, but it was -3.',
  )
})

test('a rule that does not apply passes, and its title and a note say why', async () => {
  expect(await run({ open }, 'errors-read')).toEqual([
    'errors-read: not applicable, the harness has no outage()',
    'errors-read is not applicable: the harness has no outage()',
  ])
})

test('a waived rule that does not hold passes, with the reason in its title', async () => {
  expect(await run({ open: broken, waivers: { 'merge-max': 'no maxima here' } }, 'merge-max')).toEqual([
    'merge-max: waived, no maxima here',
    'merge-max is waived: Expected the field highest after 4 writes to be 12.5, but it was -3.',
  ])
})

test('a waived rule that holds fails', async () => {
  await expect(run({ open, waivers: { 'merge-max': 'no maxima here' } }, 'merge-max')).rejects.toThrow(
    'The rule merge-max holds. Remove its waiver («no maxima here»).',
  )
})

test('a waived rule that does not apply fails', async () => {
  await expect(run({ open, waivers: { 'errors-read': 'later' } }, 'errors-read')).rejects.toThrow(
    'The rule errors-read does not apply: the harness has no outage(). Remove its waiver («later»).',
  )
})

test.each<[string, unknown, string]>([
  ['nothing', undefined, 'harness must be an object with open(), but was undefined.'],
  ['no open', { close: () => undefined }, 'harness must be an object with open(), but was an object.'],
  [
    'a misspelt hook',
    { open, outtage: () => undefined },
    'harness must be made of open, close, keyPrefix, timeoutMs, waivers, outage, failShard, throttle, loseAnswers, expire, requestCount, but was "outtage".',
  ],
  ['a hook that is no function', { open, outage: true }, 'harness.outage must be a function, but was true.'],
  ['a prefix that is no text', { open, keyPrefix: 7 }, 'harness.keyPrefix must be a text, but was 7.'],
  [
    'a time that is none',
    { open, timeoutMs: 0.5 },
    'harness.timeoutMs must be a positive whole number of milliseconds, but was 0.5.',
  ],
  [
    'a waiver of no rule',
    { open, waivers: { 'merge-summ': 'typo' } },
    'harness.waivers must be made of ids of rules, but was "merge-summ". The report lists them.',
  ],
  [
    'a waiver without a reason',
    { open, waivers: { 'merge-sum': ' ' } },
    'harness.waivers[\'merge-sum\'] must be the reason why the rule is not kept, but was " ".',
  ],
])('a harness with %s is refused at once', (_, harness, message) => {
  expect(() => declared(harness as Harness)).toThrow(message)
})
