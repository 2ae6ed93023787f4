import { BackendError, memory, type Backend, type SortValue } from '@spillway/core'
import { checkRule, RuleBrokenError, rules, type Harness, type Rule } from '@spillway/conformance'
import { expect, onTestFinished, test, vi } from 'vitest'
import { turnsInsteadOfTime } from '../doubles/patience.js'
import { troubled } from '../doubles/troubled-store.js'
import { withCollections, withDirectory, withRecords } from '../mutants/mutant.js'

const rule: Rule = { id: 'a', claim: 'Holds.', check: () => Promise.resolve() }

function sortTypeOf(sort: SortValue): string {
  return sort instanceof Uint8Array ? 'bytes' : typeof sort
}

function ruleOf(id: string): Rule {
  return rules.find((one) => one.id === id) as Rule
}

test('a harness is taken down also when a rule does not hold', async () => {
  const log: string[] = []
  const note = (what: string) => () => Promise.resolve(void log.push(what))
  const backend: Backend = { ...memory(), open: note('open'), close: note('close') }
  const harness: Harness = { open: () => backend, close: note('taken down') }
  expect(await checkRule(rule, harness)).toEqual({ status: 'kept' })
  const error = new RuleBrokenError('does not hold')
  expect(await checkRule({ ...rule, check: () => Promise.reject(error) }, harness)).toEqual({ status: 'broken', error })
  expect(log).toEqual(['open', 'close', 'taken down', 'open', 'taken down'])
})

test('a rule about the life of a backend opens and closes it by itself', async () => {
  const log: string[] = []
  const note = (what: string) => () => Promise.resolve(void log.push(what))
  const backend: Backend = { ...memory(), open: note('open'), close: note('close') }
  const harness: Harness = { open: () => backend, close: note('taken down') }
  expect(await checkRule({ ...rule, isAboutLife: true }, harness)).toEqual({ status: 'kept' })
  expect(log).toEqual(['taken down'])
})

test('a broken rule says what was expected and what came', async () => {
  const spoilt = withRecords(() => ({
    read: () => Promise.resolve([{ status: 'read', states: [2] }]),
    write: () => Promise.resolve({ status: 'done' }),
  }))
  const verdict = await checkRule(ruleOf('merge-sum'), { open: () => spoilt(memory()) })
  const error = new RuleBrokenError('Expected the field integer after 3 writes to be -12, but it was 2.')
  expect(verdict).toEqual({ status: 'broken', error })
})

test('a request that never settles breaks the rule in the end', async () => {
  const hanging = withRecords(() => ({ write: () => new Promise(() => undefined) }))
  const harness: Harness = { open: () => hanging(memory()), timeoutMs: 250 }
  expect(await checkRule(ruleOf('merge-sum'), harness, turnsInsteadOfTime)).toEqual({
    status: 'broken',
    error: new RuleBrokenError(
      'Expected every request of the rule to settle, but after 250 ms one had not. (harness.timeoutMs)',
    ),
  })
})

test('a harness that cannot open makes no verdict', async () => {
  const harness: Harness = { open: () => Promise.reject(new Error('no engine here')) }
  await expect(checkRule(rule, harness)).rejects.toThrow('no engine here')
})

test('a rule that needs what harness or backend do not have is not applicable, and says why', async () => {
  const backend = withRecords(() => ({}))(memory({ shardsPerReadMax: 1 }))
  delete backend.records.stampRoute
  const harness: Harness = { open: () => ({ ...backend, collections: undefined }) }
  const verdicts: unknown[] = []
  for (const needs of [['outage'], ['batches'], ['stampRoute'], ['collections']] as const)
    verdicts.push(await checkRule({ ...rule, needs }, harness))
  expect(verdicts).toEqual([
    { status: 'not-applicable', reason: 'the harness has no outage()' },
    { status: 'not-applicable', reason: 'the backend reads one shard at a time (shardsPerReadMax)' },
    {
      status: 'not-applicable',
      reason: 'the backend has no records.stampRoute(), which only stores need that may forget acknowledged writes',
    },
    { status: 'not-applicable', reason: 'the backend has no collections' },
  ])
})

test('of collections a rule asks only for what they can do', async () => {
  const { collections, ...backend } = withCollections(({ limits }) => ({
    limits: { ...limits, sortTypes: ['bytes'] },
  }))(memory())
  delete collections?.append
  const harness: Harness = { open: () => ({ ...backend, collections }) }
  const verdicts: unknown[] = []
  for (const id of ['append-all', 'order-strings', 'order-numbers', 'order-bytes', 'page-bounds'])
    verdicts.push(await checkRule(ruleOf(id), harness))
  expect(verdicts).toEqual([
    {
      status: 'not-applicable',
      reason: 'the backend has no collections.append(), which only stores need whose batches know no conditions',
    },
    { status: 'not-applicable', reason: 'the collections of the backend do not order strings (sortTypes)' },
    { status: 'not-applicable', reason: 'the collections of the backend do not order numbers (sortTypes)' },
    { status: 'kept' },
    { status: 'kept' },
  ])
})

test.each(['string', 'number', 'bytes'] as const)('every rule is tried with sort values of type %s', async (type) => {
  const ordering = withCollections((inner) => ({
    limits: { ...inner.limits, sortTypes: [type] },
    put(put, call) {
      if (sortTypeOf(put.sort) !== type) throw new Error(`expected sort values of type ${type}`)
      return inner.put(put, call)
    },
  }))
  const harness = troubled(ordering)
  const verdicts = new Map<string, string>()
  for (const one of rules) verdicts.set(one.id, (await checkRule(one, harness, turnsInsteadOfTime)).status)
  const without = [...verdicts].filter(([, status]) => status !== 'kept').map(([id]) => id)
  const others = ['string', 'number', 'bytes'].filter((other) => other !== type)
  const unordered = others.map((other) => (other === 'bytes' ? 'order-bytes' : `order-${other}s`))
  expect(without).toEqual(['route-asked', ...unordered, 'share-refused'])
})

test.each([
  ['outage', 'errors-write'],
  ['failShard', 'partial-neighbours'],
  ['throttle', 'throttle-write'],
  ['loseAnswers', 'lost-write'],
  ['loseAnswers', 'lost-seal'],
  ['loseAnswers', 'lost-absorb'],
  ['loseAnswers', 'lost-swap'],
  ['expire', 'expiry-goes'],
  ['expire', 'clear-goes'],
  ['outage', 'item-outage-read'],
  ['outage', 'item-outage-write'],
  ['failShard', 'get-neighbours'],
  ['throttle', 'item-throttle-write'],
  ['throttle', 'item-throttle-read'],
  ['loseAnswers', 'item-lost-put'],
  ['loseAnswers', 'item-lost-delete'],
  ['loseAnswers', 'item-lost-append'],
])('a hook %s that does nothing breaks %s: nothing passes for want of trouble', async (hook, id) => {
  const harness: Harness = { open: () => memory(), [hook]: () => () => undefined }
  expect((await checkRule(ruleOf(id), harness)).status).toBe('broken')
})

test('after an outage a client may need some time to find the store again', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const brokenConnections = 5
  let failures = 0
  const meet = async <T>(request: () => Promise<T>): Promise<T> => {
    if (failures-- > 0) throw new BackendError('unavailable', 'No connection.')
    return request()
  }
  const pooledReads = withDirectory((inner) => ({ read: (call) => meet(() => inner.read(call)) }))
  const pooled = withRecords((inner) => ({
    write: (write, call) => meet(() => inner.write(write, call)),
    read: (read, call) => meet(() => inner.read(read, call)),
  }))
  const harness: Harness = {
    open: () => pooled(pooledReads(memory())),
    outage() {
      failures = Infinity
      return () => void (failures = brokenConnections)
    },
  }
  const verdict = checkRule(ruleOf('errors-read'), harness, turnsInsteadOfTime)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(await verdict).toEqual({ status: 'kept' })
  expect(failures).toBeLessThan(0)
})

test('keys begin with the prefix of the harness', async () => {
  const keys: string[] = []
  const listening = withRecords((records) => ({
    write(write, call) {
      keys.push(write.shard.key)
      return records.write(write, call)
    },
  }))
  await checkRule(ruleOf('keys-unicode'), { open: () => listening(memory()), keyPrefix: 'run-7/' })
  expect(keys.length).toBeGreaterThan(10)
  expect(keys.every((key) => key.startsWith('run-7/keys-unicode/'))).toBe(true)
})

test('no two requests share a signal', async () => {
  const signals: AbortSignal[] = []
  const listening = withRecords((records) => ({
    write(write, call) {
      signals.push(call.signal)
      return records.write(write, call)
    },
    read(read, call) {
      signals.push(call.signal)
      return records.read(read, call)
    },
  }))
  await checkRule(ruleOf('atomic-writers'), { open: () => listening(memory()) })
  expect(signals.length).toBeGreaterThan(100)
  expect(new Set(signals).size).toBe(signals.length)
})
