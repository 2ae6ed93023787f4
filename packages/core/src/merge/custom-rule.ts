import { describeError } from '../errors/describe-error.js'
import { InvalidArgumentError } from '../errors/misuse-error.js'
import { byteLength } from '../internal/byte-length.js'
import type { MergeRule } from './merge-rule.js'

/** A user's own way to merge. */
export interface CustomRule<S> {
  /** The identity: what a read gives where nothing was written. */
  readonly empty: S
  /** Merges two states into a new one. Must be associative and commutative, with `empty` as identity, and must not change its arguments. */
  readonly merge: (a: S, b: S) => S
  /** A state as text. `decode(encode(s))` must be a state that merges and reads as `s` does. */
  readonly encode: (state: S) => string
  /** The inverse of `encode`. */
  readonly decode: (text: string) => S
  /** True when merging a state twice is the same as merging it once. Saves the dedupe entry. @default false */
  readonly isIdempotent?: boolean
}

/**
 * A rule of one's own, such as a sketch, a histogram or a bounded list. Changes are states; stored as text under compare-and-swap.
 * Check it with `assertLaws` from `@spillway/core/testing`. Throws `InvalidArgumentError` when a part is missing.
 */
export function mergeRule<S>(rule: CustomRule<S>): MergeRule<S, S, S> {
  if (typeof rule !== 'object' || (rule as unknown) === null)
    throw new InvalidArgumentError('mergeRule(rule)', 'an object with empty, merge, encode and decode', rule)
  for (const part of ['merge', 'encode', 'decode'] as const) {
    if (typeof rule[part] !== 'function')
      throw new InvalidArgumentError(`mergeRule({ ${part} })`, 'a function', rule[part])
  }
  if (!('empty' in rule)) throw new InvalidArgumentError('mergeRule({ empty })', 'the identity of merge', undefined)
  return {
    kind: 'custom',
    id: 'custom',
    isIdempotent: rule.isIdempotent ?? false,
    prepare(change, context) {
      // Encoding at once keeps a change that cannot be stored from failing its neighbours in the window.
      const argument = `change[${JSON.stringify(context.field)}]`
      let text: unknown
      try {
        text = rule.encode(change)
      } catch (error) {
        throw new InvalidArgumentError(
          argument,
          "a state that the rule's encode accepts",
          change,
          `encode threw: ${describeError(error)}`,
        )
      }
      if (typeof text !== 'string')
        throw new InvalidArgumentError(argument, "a state that the rule's encode turns into a string", change)
      const state: unknown = rule.decode(text)
      if (state === undefined)
        throw new InvalidArgumentError(
          argument,
          "a state that the rule's decode gives back",
          change,
          'undefined stands for «never written».',
        )
      return state as S
    },
    merge: (a, b) => rule.merge(a, b),
    fits: () => true,
    // What a caller is given may be changed by that caller: `empty` itself stays as it is.
    view: (state) => (state === undefined ? rule.decode(rule.encode(rule.empty)) : state),
    bytes: (state) => byteLength(rule.encode(state)),
    encode: (state) => rule.encode(state),
    decode: (text) => rule.decode(text),
  }
}
