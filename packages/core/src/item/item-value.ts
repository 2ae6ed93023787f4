import { InvalidArgumentError } from '../errors/misuse-error.js'
import { byteLength } from '../internal/byte-length.js'
import { isWellFormed } from '../internal/well-formed.js'

/** What an item is made of: JSON. */
export type ItemPart = null | boolean | number | string | readonly ItemPart[] | { readonly [name: string]: ItemPart }

/** An item as it is stored: an object of JSON. */
export type ItemValue = Readonly<Record<string, ItemPart>>

/** An item of Spillway's own, and its size. */
export interface CopiedItem {
  readonly value: ItemValue
  /** About what it takes as JSON. */
  readonly bytes: number
}

const advice = 'Give the collection a codec for other items.'

/** DynamoDB nests attributes up to 32 levels deep: ServiceQuotas.html. */
const depthMax = 30

/**
 * A deep copy of an item, for the caller may change it at any time. Properties that are undefined are left out. Throws
 * `InvalidArgumentError` for what is not JSON: it names where.
 */
export function copyItem(given: unknown, argument = 'item'): CopiedItem {
  if (!isPlainObject(given)) throw new InvalidArgumentError(argument, 'an object of JSON values', given, advice)
  const copier = new Copier()
  const value = copier.copy(given, argument, 0) as ItemValue
  return { value, bytes: copier.bytes }
}

class Copier {
  bytes = 0

  copy(given: unknown, path: string, depth: number): ItemPart {
    switch (typeof given) {
      case 'string':
        if (!isWellFormed(given)) throw new InvalidArgumentError(path, 'a well-formed string', given)
        this.bytes += byteLength(given) + 2
        return given
      case 'number':
        if (!Number.isFinite(given)) throw new InvalidArgumentError(path, 'a finite number', given)
        this.bytes += 8
        return given === 0 ? 0 : given
      case 'boolean':
        this.bytes += 5
        return given
      case 'object':
        return given === null ? this.#null() : this.#nested(given, path, depth + 1)
      default:
        throw notJson(path, given)
    }
  }

  #null(): null {
    this.bytes += 4
    return null
  }

  #nested(given: object, path: string, depth: number): ItemPart {
    if (depth > depthMax) throw new InvalidArgumentError(path, `nested at most ${depthMax} levels deep`, 'more')
    this.bytes += 2
    if (Array.isArray(given))
      return Object.freeze(
        Array.from(given as readonly unknown[], (part, i) => this.copy(part, `${path}[${i}]`, depth)),
      )
    if (!isPlainObject(given)) throw notJson(path, given)
    const copied: Record<string, ItemPart> = {}
    for (const [name, part] of Object.entries(given)) {
      if (part === undefined) continue
      if (!isWellFormed(name)) throw new InvalidArgumentError(path, 'made of well-formed names', name)
      this.bytes += byteLength(name) + 4
      const copy = this.copy(part, `${path}.${name}`, depth)
      if (name === '__proto__')
        Object.defineProperty(copied, name, { value: copy, enumerable: true, configurable: true, writable: true })
      else copied[name] = copy
    }
    return Object.freeze(copied)
  }
}

function notJson(path: string, given: unknown): InvalidArgumentError {
  return new InvalidArgumentError(path, 'JSON', given, advice)
}

function isPlainObject(given: unknown): given is Readonly<Record<string, unknown>> {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return false
  const prototype: unknown = Object.getPrototypeOf(given)
  return prototype === Object.prototype || prototype === null
}
