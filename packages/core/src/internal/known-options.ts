import { InvalidArgumentError } from '../errors/misuse-error.js'

/** A plain object with known names only: a misspelt option must not pass for an absent one. Throws `InvalidArgumentError`. */
export function knownOptions(given: unknown, path: string, names: readonly string[]): Record<string, unknown> {
  if (given === undefined) return {}
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new InvalidArgumentError(path, 'an object', given)
  for (const name of Object.keys(given)) {
    if (!names.includes(name)) throw new InvalidArgumentError(path, `made of ${names.join(', ')}`, name)
  }
  return given as Record<string, unknown>
}
