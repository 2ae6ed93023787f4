import { sum, union } from '@spillway/core'

/** A change counts one and names itself: what is missing shows in the names, what is there twice in the sum. */
export const rules = { n: sum(), ids: union() }

/** Where the changes go. */
export const keys = Array.from({ length: 6 }, (_, i) => `key ${i}`)

/** The key that a change goes to. */
export function keyOf(number: number): string {
  return keys[number % keys.length] as string
}
