/** Anything from 0 up to `maximum`: those who collided once do not meet again. */
export function jittered(maximum: number): number {
  return Math.random() * maximum
}
