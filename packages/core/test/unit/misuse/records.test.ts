import { expect, test } from 'vitest'
import { at, latest, max, mergeRule, min, type Rules, sum, union } from '../../../src/index.js'
import { opened } from '../../doubles/opened.js'
import { refusalOf, refusalsOf } from '../../doubles/refusal.js'

const own = () => mergeRule({ empty: 0, merge: (a, b) => a + b, encode: String, decode: Number })

test('a record is declared by a name, rules and a prefix', async () => {
  const { client } = await opened()
  const declare = ([name, rules, options]: readonly unknown[]) =>
    client.records(name as string, rules as Rules, options as object)
  const tooMany = Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`f${i}`, sum()]))
  const cases = {
    'no name': ['', { a: sum() }],
    'a name that is a number': [5, { a: sum() }],
    'no rules': ['r', undefined],
    'rules that are null': ['r', null],
    'rules that are an array': ['r', [sum()]],
    'rules without a field': ['r', {}],
    '257 fields': ['r', tooMany],
    'a field without a name': ['r', { '': sum() }],
    'a field with a lone surrogate': ['r', { '\ud800': sum() }],
    'a rule that was not called': ['r', { a: sum }],
    'a rule that is a string': ['r', { a: 'sum' }],
    'a rule that is null': ['r', { a: null }],
    'an unknown option': ['r', { a: sum() }, { prefx: 'a' }],
    'options that are null': ['r', { a: sum() }, null],
    'a prefix that is a number': ['r', { a: sum() }, { prefix: 1 }],
    'a prefix with a lone surrogate': ['r', { a: sum() }, { prefix: '\ud800' }],
    'a prefix over half a key': ['r', { a: sum() }, { prefix: 'x'.repeat(1_005) }],
    'a prefix with the reserved mark': ['r', { a: sum() }, { prefix: 'a~spillway~' }],
  }
  expect(await refusalsOf(cases, declare)).toMatchInlineSnapshot(`
    {
      "257 fields": "INVALID_ARGUMENT: rules must be 1 to 256 fields, but was 257.",
      "a field with a lone surrogate": "INVALID_ARGUMENT: rules must be an object of rules by well-formed, non-empty field names, but was "\\ud800".",
      "a field without a name": "INVALID_ARGUMENT: rules must be an object of rules by well-formed, non-empty field names, but was "".",
      "a name that is a number": "INVALID_ARGUMENT: name must be a record name of at least one character, but was 5.",
      "a prefix over half a key": "INVALID_ARGUMENT: options.prefix must be a well-formed string of at most 1004 bytes, but was "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"… (1005 characters).",
      "a prefix that is a number": "INVALID_ARGUMENT: options.prefix must be a well-formed string of at most 1004 bytes, but was 1.",
      "a prefix with a lone surrogate": "INVALID_ARGUMENT: options.prefix must be a well-formed string of at most 1004 bytes, but was "\\ud800".",
      "a prefix with the reserved mark": "INVALID_ARGUMENT: options.prefix must be a string without "~spillway~", which marks the places of shards, but was "a~spillway~".",
      "a rule that is a string": "INVALID_ARGUMENT: rules["a"] must be a merge rule such as sum() or mergeRule(…), but was "sum".",
      "a rule that is null": "INVALID_ARGUMENT: rules["a"] must be a merge rule such as sum() or mergeRule(…), but was null.",
      "a rule that was not called": "INVALID_ARGUMENT: rules["a"] must be a merge rule such as sum() or mergeRule(…), but was a function.",
      "an unknown option": "INVALID_ARGUMENT: options must be made of prefix and dedupe, but was "prefx".",
      "no name": "INVALID_ARGUMENT: name must be a record name of at least one character, but was "".",
      "no rules": "INVALID_ARGUMENT: rules must be an object of rules by field name, but was undefined.",
      "options that are null": "INVALID_ARGUMENT: options must be an object with prefix and dedupe, but was null.",
      "rules that are an array": "INVALID_ARGUMENT: rules must be an object of rules by field name, but was an array of 1.",
      "rules that are null": "INVALID_ARGUMENT: rules must be an object of rules by field name, but was null.",
      "rules without a field": "INVALID_ARGUMENT: rules must be 1 to 256 fields, but was 0.",
    }
  `)
  expect(await refusalOf(() => declare(['r', { a: sum() }, { prefix: 'x'.repeat(1_004) }]))).toBe('accepted')
})

test('two records that conflict are refused', async () => {
  const { client } = await opened()
  const rule = own()
  client.records('post', { views: sum(), tags: union(), own: rule })
  const declare = ([name, rules, options]: readonly unknown[]) =>
    client.records(name as string, rules as Rules, options as object)
  const cases = {
    'the same name with another rule': ['post', { views: max(), tags: union(), own: rule }],
    'the same name with another type of sum': ['post', { views: sum({ type: 'bigint' }), tags: union(), own: rule }],
    'the same name with fewer fields': ['post', { views: sum(), tags: union() }],
    'the same name with another prefix': ['post', { views: sum(), tags: union(), own: rule }, { prefix: 'p/' }],
    "the same name with another rule of one's own": ['post', { views: sum(), tags: union(), own: own() }],
    'another name with a field of this one': ['page', { views: sum() }],
  }
  expect(await refusalsOf(cases, declare)).toMatchInlineSnapshot(`
    {
      "another name with a field of this one": "INVALID_ARGUMENT: rules of record page must be made of fields that no other record under prefix "" has, but was "views". Record post has it. Keys are stored byte for byte: give one of the records a prefix.",
      "the same name with another prefix": "INVALID_ARGUMENT: rules of record post must be those that it was declared with before, but was "views: sum(integer), tags: union, own: custom, under prefix "… (64 characters). They were views: sum(integer), tags: union, own: custom. A rule made by mergeRule() must be the very same object.",
      "the same name with another rule": "INVALID_ARGUMENT: rules of record post must be those that it was declared with before, but was "views: max, tags: union, own: custom". They were views: sum(integer), tags: union, own: custom. A rule made by mergeRule() must be the very same object.",
      "the same name with another rule of one's own": "INVALID_ARGUMENT: rules of record post must be those that it was declared with before, but was "views: sum(integer), tags: union, own: custom". They were views: sum(integer), tags: union, own: custom. A rule made by mergeRule() must be the very same object.",
      "the same name with another type of sum": "INVALID_ARGUMENT: rules of record post must be those that it was declared with before, but was "views: sum(bigint), tags: union, own: custom". They were views: sum(integer), tags: union, own: custom. A rule made by mergeRule() must be the very same object.",
      "the same name with fewer fields": "INVALID_ARGUMENT: rules of record post must be those that it was declared with before, but was "views: sum(integer), tags: union". They were views: sum(integer), tags: union, own: custom. A rule made by mergeRule() must be the very same object.",
    }
  `)
  const again = { views: sum(), tags: union(), own: rule }
  expect(client.records('post', again)).toBe(client.records('post', again))
  expect(await refusalOf(() => client.records('page', { views: sum() }, { prefix: 'page/' }))).toBe('accepted')
  expect(await refusalOf(() => client.records('other', { likes: sum() }))).toBe('accepted')
})

test('rules are made of what they need', async () => {
  const parts = { empty: 0, merge: Math.max, encode: String, decode: Number }
  const cases = {
    'a sum of an unknown type': () => sum({ type: 'decimal' as 'float' }),
    'a sum of null': () => sum(null as never),
    'a sum with an unknown option': () => sum({ typ: 'float' } as never),
    'a rule of nothing': () => mergeRule(undefined as never),
    'a rule without an empty': () => mergeRule({ merge: Math.max, encode: String, decode: Number } as never),
    'a rule without a merge': () => mergeRule({ ...parts, merge: undefined } as never),
    'a rule without an encode': () => mergeRule({ ...parts, encode: 'json' } as never),
    'a rule without a decode': () => mergeRule({ ...parts, decode: null } as never),
    'a time that is text': () => at('v', '2020-01-01' as never),
    'a time in seconds with a fraction': () => at('v', 1_700_000_000.5),
    'an order that is none': () => at('v', 0, Number.NaN),
  }
  expect(await refusalsOf(cases, (call) => call())).toMatchInlineSnapshot(`
    {
      "a rule of nothing": "INVALID_ARGUMENT: mergeRule(rule) must be an object with empty, merge, encode and decode, but was undefined.",
      "a rule without a decode": "INVALID_ARGUMENT: mergeRule({ decode }) must be a function, but was null.",
      "a rule without a merge": "INVALID_ARGUMENT: mergeRule({ merge }) must be a function, but was undefined.",
      "a rule without an empty": "INVALID_ARGUMENT: mergeRule({ empty }) must be the identity of merge, but was undefined.",
      "a rule without an encode": "INVALID_ARGUMENT: mergeRule({ encode }) must be a function, but was "json".",
      "a sum of an unknown type": "INVALID_ARGUMENT: sum({ type }) must be 'integer', 'bigint' or 'float', but was "decimal".",
      "a sum of null": "INVALID_ARGUMENT: sum(options) must be an object with type, but was null.",
      "a sum with an unknown option": "INVALID_ARGUMENT: sum(options) must be made of type, but was "typ".",
      "a time in seconds with a fraction": "INVALID_ARGUMENT: timeMs must be a whole number of milliseconds since 1970, but was 1700000000.5.",
      "a time that is text": "INVALID_ARGUMENT: timeMs must be a whole number of milliseconds since 1970, but was "2020-01-01".",
      "an order that is none": "INVALID_ARGUMENT: order must be a safe integer, but was NaN.",
    }
  `)
})

const throwing = mergeRule({
  empty: 'x',
  merge: (a: string, b: string) => (a > b ? a : b),
  encode(state: unknown): string {
    if (state === 'throw') throw new Error('not this one')
    return state as string
  },
  decode: (text) => text,
})

test('a change is made of fields with values that their rules take', async () => {
  const { client, backend } = await opened()
  const rules = {
    views: sum(),
    big: sum({ type: 'bigint' }),
    weight: sum({ type: 'float' }),
    high: max(),
    low: min(),
    title: latest<string>(),
    tags: union(),
    own: throwing,
  }
  const posts = client.records('post', rules)
  const before = backend.requestCount
  const circular: unknown[] = []
  circular.push({ own: circular })
  const cases: Record<string, unknown> = {
    'an unknown field': { view: 1 },
    'no field': {},
    'no object': 5,
    null: null,
    'views: 1.5': { views: 1.5 },
    'views: NaN': { views: Number.NaN },
    "views: '1'": { views: '1' },
    'views: undefined': { views: undefined },
    'views: 1n': { views: 1n },
    'views: 2^53': { views: 2 ** 53 },
    'big: 1': { big: 1 },
    'big: 10^38': { big: 10n ** 38n },
    'weight: Infinity': { weight: Number.POSITIVE_INFINITY },
    'high: -Infinity': { high: Number.NEGATIVE_INFINITY },
    'low: null': { low: null },
    'title: a Map': { title: new Map() },
    'title: one that holds itself': { title: circular },
    'tags: a string': { tags: 'a' },
    'tags: of numbers': { tags: [1] },
    'tags: empty': { tags: [] },
    'own: a number': { own: 1 },
    'own: one that encode throws at': { own: 'throw' },
  }
  expect(await refusalsOf(cases, (change) => posts.write('k', change as never))).toMatchInlineSnapshot(`
    {
      "an unknown field": "INVALID_ARGUMENT: change must be made of the fields of record post ("views", "big", "weight", "high", "low", "title", "tags", "own"), but was "view".",
      "big: 1": "INVALID_ARGUMENT: change["big"] must be a bigint, but was 1.",
      "big: 10^38": "INVALID_ARGUMENT: change["big"] must be a bigint within ±99999999999999999999999999999999999999, but was 100000000000000000000000000000000000000n.",
      "high: -Infinity": "INVALID_ARGUMENT: change["high"] must be a finite number, but was -Infinity.",
      "low: null": "INVALID_ARGUMENT: change["low"] must be a finite number, but was null.",
      "no field": "INVALID_ARGUMENT: change must be an object with at least one field of record post, but was an object.",
      "no object": "INVALID_ARGUMENT: change must be an object with fields of record post, but was 5.",
      "null": "INVALID_ARGUMENT: change must be an object with fields of record post, but was null.",
      "own: a number": "INVALID_ARGUMENT: change["own"] must be a state that the rule's encode turns into a string, but was 1.",
      "own: one that encode throws at": "INVALID_ARGUMENT: change["own"] must be a state that the rule's encode accepts, but was "throw". encode threw: Error: not this one",
      "tags: a string": "INVALID_ARGUMENT: change["tags"] must be an array or a set of strings, but was "a".",
      "tags: empty": "INVALID_ARGUMENT: change["tags"] must be at least one string, but was an empty array.",
      "tags: of numbers": "INVALID_ARGUMENT: change["tags"] must be an array or a set of strings, but was 1.",
      "title: a Map": "INVALID_ARGUMENT: change["title"] must be a JSON value, but was an instance of Map. Convert it to plain data first.",
      "title: one that holds itself": "INVALID_ARGUMENT: change["title"]["0"]["own"]["0"]["own"]["0"]["own"]["0"]["ow… must be nested at most 64 deep, but was an array of 1.",
      "views: '1'": "INVALID_ARGUMENT: change["views"] must be a safe integer, but was "1".",
      "views: 1.5": "INVALID_ARGUMENT: change["views"] must be a safe integer, but was 1.5. Use sum({ type: 'bigint' }) or sum({ type: 'float' }) for other numbers.",
      "views: 1n": "INVALID_ARGUMENT: change["views"] must be a safe integer, but was 1n. Use sum({ type: 'bigint' }) or sum({ type: 'float' }) for other numbers.",
      "views: 2^53": "INVALID_ARGUMENT: change["views"] must be a safe integer, but was 9007199254740992. Use sum({ type: 'bigint' }) or sum({ type: 'float' }) for other numbers.",
      "views: NaN": "INVALID_ARGUMENT: change["views"] must be a safe integer, but was NaN.",
      "views: undefined": "INVALID_ARGUMENT: change["views"] must be a safe integer, but was undefined.",
      "weight: Infinity": "INVALID_ARGUMENT: change["weight"] must be a finite number, but was Infinity.",
    }
  `)
  expect(backend.requestCount).toBe(before)
})
