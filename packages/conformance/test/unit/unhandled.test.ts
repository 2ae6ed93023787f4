import { BackendError, type Backend } from '@spillway/core'
import { checkRule, rules, type Rule } from '@spillway/conformance'
import { expect, onTestFinished, test } from 'vitest'
import { turnsInsteadOfTime } from '../doubles/patience.js'
import { troubled } from '../doubles/troubled-store.js'

const requests = [
  'write',
  'read',
  'seal',
  'absorb',
  'clear',
  'stampRoute',
  'directory.read',
  'directory.swap',
  'close',
].concat(['collections.put', 'collections.delete', 'collections.get', 'collections.page', 'collections.append'])

/** How a request fails: by a promise, or, in an adapter that is no async function, at once. */
type Failure = 'rejects' | 'throws'

/** Fails one kind of request from the `nth` on; the others take their turns. */
function failing(name: string, nth: number, failure: Failure): (backend: Backend) => Backend {
  return (backend) => {
    let count = 0
    const fails = <T extends object>(inner: T, own: string): T =>
      new Proxy(inner, {
        get(target, member) {
          const found: unknown = Reflect.get(target, member)
          if (member !== own) return found
          return (...args: unknown[]) => {
            count += 1
            if (count < nth) return (found as ((...given: unknown[]) => unknown) | undefined)?.(...args)
            const error = new BackendError('unavailable', 'Not now.')
            if (failure === 'throws') throw error
            return Promise.reject(error)
          }
        },
      })
    const [part, member = ''] = name.includes('.') ? name.split('.') : ['records', name]
    if (name === 'close') return fails({ ...backend, close: () => Promise.resolve() }, 'close')
    if (part === 'directory') return { ...backend, directory: fails(backend.directory, member) }
    if (part === 'records') return { ...backend, records: fails(backend.records, member) }
    return { ...backend, collections: backend.collections && fails(backend.collections, member) }
  }
}

/** The failures that nobody has heard while `body` ran, and in the turns after it. */
async function unheardIn(body: () => Promise<void>): Promise<readonly unknown[]> {
  const unheard: unknown[] = []
  const listeners = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection')
  process.on('unhandledRejection', (reason) => unheard.push(reason))
  onTestFinished(() => {
    process.removeAllListeners('unhandledRejection')
    for (const listener of listeners) process.on('unhandledRejection', listener)
  })
  await body()
  for (let i = 0; i < 8; i++) await new Promise<void>((resolve) => setImmediate(() => resolve()))
  return unheard
}

test('a seal that fails at once while writes are under way breaks seal-race, and is heard', async () => {
  const rule = rules.find(({ id }) => id === 'seal-race') as Rule
  const unheard = await unheardIn(async () => {
    const verdict = await checkRule(rule, troubled(failing('seal', 1, 'rejects')), turnsInsteadOfTime)
    expect(verdict).toMatchObject({ status: 'broken', error: { kind: 'unavailable', message: 'Not now.' } })
  })
  expect(unheard).toEqual([])
})

test.each(
  requests.flatMap((request) => (['rejects', 'throws'] as const).map((failure) => [request, failure] as const)),
)('no rule leaves a failure unheard where a %s %s, the first time or later', async (request, failure) => {
  const brokenCounts: number[] = []
  const unheard = await unheardIn(async () => {
    for (const nth of [1, 3, 30]) {
      let brokenCount = 0
      for (const rule of rules) {
        const verdict = await checkRule(rule, troubled(failing(request, nth, failure)), turnsInsteadOfTime)
        if (verdict.status === 'broken') brokenCount += 1
      }
      brokenCounts.push(brokenCount)
    }
  })
  expect(unheard).toEqual([])
  expect(brokenCounts[0]).toBeGreaterThan(0)
})
