import { randomBytes } from 'node:crypto'

/** A name that no other process has: `prefix` and 64 random bits. */
export function uniqueName(prefix: string): string {
  return prefix + randomBytes(8).toString('hex')
}
