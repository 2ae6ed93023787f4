import type { Capabilities } from '../backend/backend.js'
import { InvalidArgumentError } from '../errors/misuse-error.js'
import { byteLength } from '../internal/byte-length.js'
import { isWellFormed } from '../internal/well-formed.js'

/** Refuses what cannot be a key of this backend behind a record's prefix. Throws `InvalidArgumentError`. */
export function checkKey(
  key: unknown,
  prefix: string,
  capabilities: Capabilities,
  argument = 'key',
): asserts key is string {
  const { reservedMark } = capabilities
  const keyBytesMax = prefix === '' ? capabilities.keyBytesMax : capabilities.keyBytesMax - byteLength(prefix)
  if (typeof key !== 'string' || key.length === 0)
    throw new InvalidArgumentError(argument, 'a string of at least one character', key)
  if (key.length * 3 > keyBytesMax && byteLength(key) > keyBytesMax) {
    throw new InvalidArgumentError(
      argument,
      `at most ${keyBytesMax} bytes of UTF-8`,
      key,
      `It takes ${byteLength(key)}.`,
    )
  }
  if (!isWellFormed(key))
    throw new InvalidArgumentError(argument, 'a well-formed string', key, 'A lone surrogate cannot be stored as UTF-8.')
  if (key.includes(reservedMark) || (prefix !== '' && (prefix + key).includes(reservedMark)))
    throw new InvalidArgumentError(
      argument,
      `a string without ${JSON.stringify(reservedMark)}, which marks the places of shards`,
      key,
    )
}

/** Refuses what cannot stand before keys of this backend. Throws `InvalidArgumentError`. */
export function checkPrefix(prefix: unknown, capabilities: Capabilities): asserts prefix is string {
  const bytesMax = Math.floor(capabilities.keyBytesMax / 2)
  if (typeof prefix !== 'string' || !isWellFormed(prefix) || byteLength(prefix) > bytesMax) {
    throw new InvalidArgumentError('options.prefix', `a well-formed string of at most ${bytesMax} bytes`, prefix)
  }
  if (prefix.includes(capabilities.reservedMark)) {
    const expected = `a string without ${JSON.stringify(capabilities.reservedMark)}, which marks the places of shards`
    throw new InvalidArgumentError('options.prefix', expected, prefix)
  }
}
