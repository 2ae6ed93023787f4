/** Milliseconds that have passed on the machine's monotonic clock, from some fixed moment on. */
export function elapsedMs(): number {
  return performance.now()
}
