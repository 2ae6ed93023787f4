import { describe } from './misuse-error.js'

/** What was thrown, for a message. It may be anything, and showing it never throws. */
export function describeError(error: unknown): string {
  try {
    return error instanceof Error ? `${error.name}: ${error.message}` : describe(error)
  } catch {
    return 'something that cannot be shown'
  }
}
