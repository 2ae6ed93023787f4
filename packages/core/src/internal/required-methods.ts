import { InvalidArgumentError } from '../errors/misuse-error.js'

/** What somebody gives in place of the machine's: an object with all methods that are called, or nothing. Throws `InvalidArgumentError`. */
export function requiredMethods<T>(
  given: unknown,
  path: string,
  methods: readonly (keyof T & string)[],
): T | undefined {
  if (given === undefined) return undefined
  for (const method of methods) {
    if (typeof (given as Record<string, unknown> | null)?.[method] !== 'function')
      throw new InvalidArgumentError(path, `an object with ${methods.map((name) => `${name}()`).join(', ')}`, given)
  }
  return given as T
}
