import { InvalidArgumentError } from '../errors/misuse-error.js'
import { byteLength } from '../internal/byte-length.js'
import { isWellFormed } from '../internal/well-formed.js'
import type { MergeRule, OwnedMerge } from './merge-rule.js'

/** Collects strings into a set. Takes an array or a set of strings; reads as an empty set where nothing was written. Nothing is ever removed. */
export function union<T extends string = string>(): MergeRule<
  readonly T[] | ReadonlySet<T>,
  ReadonlySet<T>,
  ReadonlySet<T>
> {
  return {
    kind: 'union',
    id: 'union',
    isIdempotent: true,
    prepare(change, context) {
      const argument = `change[${JSON.stringify(context.field)}]`
      if (!Array.isArray(change) && !(change instanceof Set))
        throw new InvalidArgumentError(argument, 'an array or a set of strings', change)
      const elements = new Set<T>(change as Iterable<T>)
      for (const element of elements) {
        if (typeof element !== 'string')
          throw new InvalidArgumentError(argument, 'an array or a set of strings', element)
        if (!isWellFormed(element))
          throw new InvalidArgumentError(
            argument,
            'made of well-formed strings',
            element,
            'A lone surrogate cannot be stored as UTF-8.',
          )
      }
      if (elements.size === 0) throw new InvalidArgumentError(argument, 'at least one string', change)
      return elements
    },
    merge: unite,
    fits: () => true,
    view: (state) => new Set(state),
    bytes: bytesOfSet,
    encode: (state) => JSON.stringify([...state].toSorted()),
    decode: (text) => new Set(JSON.parse(text) as T[]),
    owned: ownedSet<T>(),
  }
}

/** A window's set is the one that its first change was prepared into. */
function ownedSet<T extends string>(): OwnedMerge<ReadonlySet<T>> {
  return {
    grownBytes(own, more) {
      let bytes = 0
      for (const element of more) if (!own.has(element)) bytes += bytesOf(element)
      return bytes
    },
    add(own, more) {
      for (const element of more) (own as Set<T>).add(element)
    },
    copy: (own) => new Set(own),
  }
}

/** The larger set itself when it holds the other already: a set that has stopped growing costs no copies. */
function unite<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): ReadonlySet<T> {
  const [larger, smaller] = a.size >= b.size ? [a, b] : [b, a]
  let united: Set<T> | undefined
  for (const element of smaller) {
    if (larger.has(element)) continue
    united ??= new Set(larger)
    united.add(element)
  }
  return united ?? larger
}

function bytesOfSet(state: ReadonlySet<string>): number {
  let bytes = 0
  for (const element of state) bytes += bytesOf(element)
  return bytes
}

function bytesOf(element: string): number {
  return byteLength(element) + 1
}
