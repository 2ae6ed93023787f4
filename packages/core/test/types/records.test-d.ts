import { describe, expectTypeOf, test } from 'vitest'
import {
  at,
  type ChangeOf,
  type Client,
  type ClientEvents,
  type ClientOptions,
  createClient,
  latest,
  max,
  memory,
  mergeRule,
  min,
  type PartialRead,
  type ReadOptions,
  sum,
  union,
  type ValueOf,
  type WriteOptions,
} from '../../src/index.js'

interface Histogram {
  readonly low: number
  readonly high: number
}

const histogram = mergeRule({
  empty: { low: 0, high: 0 },
  merge: (a, b) => ({ low: a.low + b.low, high: a.high + b.high }),
  encode: (state) => JSON.stringify(state),
  decode: (text) => JSON.parse(text) as Histogram,
})

const rules = {
  views: sum(),
  total: sum({ type: 'bigint' }),
  weight: sum({ type: 'float' }),
  lastSeenAt: max(),
  firstSeenAt: min(),
  title: latest<string>(),
  tags: union<'new' | 'hot'>(),
  histogram,
}

declare const client: Client
const posts = client.records('post', rules)

describe('a change', () => {
  test('takes every field by the type of its rule, and any part of them', () => {
    expectTypeOf(posts.write('k', { views: 1 })).toEqualTypeOf<Promise<void>>()
    void posts.write('k', { views: 1, total: 1n, weight: 0.5, lastSeenAt: 1, firstSeenAt: 1 })
    void posts.write('k', { title: 'a', tags: ['new'], histogram: { low: 1, high: 2 } })
    void posts.write('k', { title: at('a', 5), tags: new Set(['hot'] as const) })
    expectTypeOf<Required<ChangeOf<typeof rules>>['views']>().toEqualTypeOf<number>()
    expectTypeOf<Required<ChangeOf<typeof rules>>['total']>().toEqualTypeOf<bigint>()
    expectTypeOf<Required<ChangeOf<typeof rules>>['histogram']>().toExtend<Histogram>()
  })

  test('to a field that is not there does not compile', () => {
    // @ts-expect-error: there is no field `view`
    void posts.write('k', { view: 1 })
    // @ts-expect-error: not even beside one that is there
    void posts.write('k', { views: 1, likes: 1 })
  })

  test('of the wrong type does not compile', () => {
    // @ts-expect-error: a sum of integers takes numbers
    void posts.write('k', { views: '1' })
    // @ts-expect-error: and no bigints
    void posts.write('k', { views: 1n })
    // @ts-expect-error: a sum of bigints takes no numbers
    void posts.write('k', { total: 1 })
    // @ts-expect-error: max takes numbers
    void posts.write('k', { lastSeenAt: new Date(0) })
    // @ts-expect-error: this latest takes strings
    void posts.write('k', { title: 5 })
    // @ts-expect-error: with an event time, too
    void posts.write('k', { title: at(5, 0) })
    // @ts-expect-error: a union takes only its own strings
    void posts.write('k', { tags: ['old'] })
    // @ts-expect-error: and no single one
    void posts.write('k', { tags: 'new' })
    // @ts-expect-error: a user's rule takes its states
    void posts.write('k', { histogram: { low: 1 } })
  })

  test('that is undefined does not compile', () => {
    // @ts-expect-error: undefined is no number; leave the field out
    void posts.write('k', { views: undefined })
    // @ts-expect-error: a change is an object
    void posts.write('k', undefined)
    // @ts-expect-error: and is needed
    void posts.write('k')
  })

  test('takes a key that is a string and options that it knows', () => {
    // @ts-expect-error: a key is a string
    void posts.write(5, { views: 1 })
    void posts.write('k', { views: 1 }, { ack: 'buffered', signal: new AbortController().signal })
    // @ts-expect-error: there is no such acknowledgement
    void posts.write('k', { views: 1 }, { ack: 'never' })
    // @ts-expect-error: an option of reads
    void posts.write('k', { views: 1 }, { pending: true })
    // @ts-expect-error: absent is not undefined
    void posts.write('k', { views: 1 }, { signal: undefined })
  })
})

interface Value {
  readonly views: number
  readonly total: bigint
  readonly weight: number
  readonly lastSeenAt: number | undefined
  readonly firstSeenAt: number | undefined
  readonly title: string | undefined
  readonly tags: ReadonlySet<'new' | 'hot'>
  readonly histogram: Histogram
}

describe('a read', () => {
  test('is typed from the rules', () => {
    expectTypeOf(posts.read('k')).resolves.toEqualTypeOf<ValueOf<typeof rules>>()
    expectTypeOf<ValueOf<typeof rules>>().toExtend<Value>()
    expectTypeOf<Value>().toExtend<ValueOf<typeof rules>>()
    expectTypeOf(posts.read('k', { pending: true })).resolves.toEqualTypeOf<ValueOf<typeof rules>>()
    expectTypeOf(posts.read('k', { allowPartial: false })).resolves.toEqualTypeOf<ValueOf<typeof rules>>()
  })

  test('is the fields and nothing else, as is a change', () => {
    expectTypeOf<ValueOf<{ n: typeof rules.views }>>().toEqualTypeOf<{ readonly n: number }>()
    expectTypeOf<ChangeOf<{ n: typeof rules.views }>>().toEqualTypeOf<{ readonly n?: number }>()
  })

  test('that allows a partial result has another type', () => {
    const reading = posts.read('k', { allowPartial: true, pending: true })
    expectTypeOf(reading).resolves.toEqualTypeOf<PartialRead<ValueOf<typeof rules>>>()
    expectTypeOf<Awaited<typeof reading>['missingShards']>().toEqualTypeOf<readonly number[]>()
  })

  test('cannot be changed, nor asked for fields that are not there', () => {
    void posts.read('k').then((value) => {
      // @ts-expect-error: what is read is frozen
      value.views = 5
      // @ts-expect-error: and so are its sets
      value.tags.add('new')
      // @ts-expect-error: there is no such field
      return value.likes
    })
  })
})

describe("a user's rule", () => {
  test('infers its type from its parts', () => {
    const longest = mergeRule({
      empty: '',
      merge: (a, b) => (a.length >= b.length ? a : b),
      encode: (state) => state,
      decode: (text) => text,
    })
    const record = client.records('r', { longest })
    expectTypeOf(record.read('k')).resolves.toEqualTypeOf<{ readonly longest: string }>()
    // @ts-expect-error: its changes are its states
    void record.write('k', { longest: 5 })
  })

  test('whose parts do not fit does not compile', () => {
    // @ts-expect-error: encode makes text
    mergeRule({ empty: 0, merge: (a: number, b: number) => a + b, encode: (state: number) => state, decode: Number })
    // @ts-expect-error: decode gives back a state
    mergeRule<number>({ empty: 0, merge: (a, b) => a + b, encode: String, decode: (text) => text })
    // @ts-expect-error: all four are needed
    mergeRule({ empty: 0, merge: (a: number, b: number) => a + b, encode: String })
    // @ts-expect-error: a sum is of one of three types
    sum({ type: 'decimal' })
  })

  test('is what a record is made of', () => {
    // @ts-expect-error: a rule is called
    client.records('r', { views: sum })
    // @ts-expect-error: and is no name
    client.records('r', { views: 'sum' })
  })
})

describe('options', () => {
  test('are readonly, and need a backend alone', () => {
    expectTypeOf(createClient).parameter(0).toEqualTypeOf<ClientOptions>()
    expectTypeOf(createClient({ backend: memory() })).resolves.toEqualTypeOf<Client>()
    // @ts-expect-error: without a backend there is nothing to do
    void createClient({})
    // @ts-expect-error: misspelt
    void createClient({ backend: memory(), colapse: {} })
    // @ts-expect-error: misspelt
    void createClient({ backend: memory(), collapse: { windowMS: 5 } })
  })

  test('cannot be changed after they were given', () => {
    expectTypeOf(changeOptions).returns.toEqualTypeOf<void>()
  })
})

function changeOptions(options: ClientOptions, write: WriteOptions, read: ReadOptions): void {
  // @ts-expect-error: readonly
  options.consistency = 'eventual'
  // @ts-expect-error: readonly
  options.collapse = {}
  // @ts-expect-error: readonly
  if (options.collapse !== undefined) options.collapse.windowMs = 5
  // @ts-expect-error: readonly
  if (options.sharding !== undefined) options.sharding.rules = []
  // @ts-expect-error: readonly
  options.sharding?.rules?.push({ match: 'a', fanout: 2 })
  // @ts-expect-error: readonly
  write.ack = 'buffered'
  // @ts-expect-error: readonly
  read.pending = true
}

describe('events', () => {
  test('are typed by their names', () => {
    expectTypeOf(client.on<'flush'>)
      .parameter(1)
      .toEqualTypeOf<(event: ClientEvents['flush']) => void>()
    client.on('throttle', ({ side }) => {
      expectTypeOf(side).toEqualTypeOf<'write' | 'read'>()
    })
    // @ts-expect-error: there is no such event
    client.on('flushed', () => undefined)
    client.on('flush', (event) => {
      // @ts-expect-error: events are readonly
      event.key = 'x'
    })
  })
})
