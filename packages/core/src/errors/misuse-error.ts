import { SpillwayError } from './spillway-error.js'

/** An argument that cannot be accepted. Thrown or rejected with before anything is sent. */
export class InvalidArgumentError extends SpillwayError {
  /** The argument or option that was refused, such as `key` or `collapse.windowMs`. */
  readonly argument: string
  /** What would have been accepted, in words. */
  readonly expected: string

  constructor(argument: string, expected: string, given: unknown, advice?: string) {
    const tail = advice === undefined ? '' : ` ${advice}`
    super('INVALID_ARGUMENT', `${argument} must be ${expected}, but was ${describe(given)}.${tail}`, {
      retryable: false,
      stage: 'admission',
    })
    this.name = 'InvalidArgumentError'
    this.argument = argument
    this.expected = expected
  }
}

const shownMax = 60

/** A short, harmless rendering of any value for a message. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value.length > shownMax
        ? `${JSON.stringify(value.slice(0, shownMax))}… (${value.length} characters)`
        : JSON.stringify(value)
    case 'bigint':
      return `${value}n`
    case 'number':
    case 'boolean':
    case 'undefined':
      return Object.is(value, -0) ? '-0' : String(value)
    case 'symbol':
      return value.toString()
    case 'function':
      return 'a function'
    default:
      return describeObject(value)
  }
}

function describeObject(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : `an array of ${value.length}`
  const name: unknown = (Object.getPrototypeOf(value) as { constructor?: { name?: unknown } } | null)?.constructor?.name
  return typeof name === 'string' && name !== 'Object' && name !== '' ? `an instance of ${name}` : 'an object'
}
