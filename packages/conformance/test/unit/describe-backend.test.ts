import { memory, type Backend } from '@spillway/core'
import { checkRule, describeBackend, RuleBrokenError, rules, type Harness, type Rule } from '@spillway/conformance'
import { expect, test } from 'vitest'

/** The titles of the tests that the kit declares for a harness. */
function declared(harness: Harness): readonly string[] {
  const titles: string[] = []
  describeBackend('a backend', harness, {
    describe: (_, body) => body(),
    test: (title) => titles.push(title),
  })
  return titles
}

test('every rule becomes a test that begins with its id', () => {
  const titles = declared({ open: () => memory(), outage: () => () => undefined })
  expect(titles).toEqual(rules.map(({ id, claim }) => `${id}: ${claim}`))
})

test('rules about errors need a harness that can make the store fail', () => {
  const titles = declared({ open: () => memory() })
  expect(titles.filter((title) => title.startsWith('errors-'))).toEqual([])
  expect(titles.length).toBe(rules.filter(({ needs }) => needs === undefined).length)
})

test('a harness is taken down also when a rule does not hold', async () => {
  const log: string[] = []
  const note = (what: string) => () => Promise.resolve(void log.push(what))
  const backend: Backend = { ...memory(), open: note('open'), close: note('close') }
  const harness: Harness = { open: () => backend, close: note('taken down') }
  const rule: Rule = { id: 'a', claim: 'Holds.', check: () => Promise.resolve() }
  await checkRule(rule, harness)
  const broken = { ...rule, check: () => Promise.reject(new RuleBrokenError('does not hold')) }
  await expect(checkRule(broken, harness)).rejects.toThrow('does not hold')
  expect(log).toEqual(['open', 'close', 'taken down', 'open', 'taken down'])
})

test('a broken rule says what was expected and what came', async () => {
  const inner = memory()
  const records = {
    ...inner.records,
    read: () => Promise.resolve([{ status: 'read', states: [2] } as const]),
    write: () => Promise.resolve({ status: 'done' } as const),
  }
  const rule = rules.find(({ id }) => id === 'merge-sum') as Rule
  const checking = checkRule(rule, { open: () => ({ ...inner, records }) })
  await expect(checking).rejects.toThrow('Expected the field integer after 3 writes to be -12, but it was 2.')
})

test('keys begin with the prefix of the harness', async () => {
  const inner = memory()
  const keys: string[] = []
  const records: Backend['records'] = {
    write(write, call) {
      keys.push(write.shard.key)
      return inner.records.write(write, call)
    },
    read: (read, call) => inner.records.read(read, call),
    seal: (shard, fields, call) => inner.records.seal(shard, fields, call),
    absorb: (absorb, call) => inner.records.absorb(absorb, call),
  }
  const harness: Harness = { open: () => ({ ...inner, records }), keyPrefix: 'run-7/' }
  await checkRule(rules.find(({ id }) => id === 'keys-unicode') as Rule, harness)
  expect(keys.every((key) => key.startsWith('run-7/keys-unicode/'))).toBe(true)
})
