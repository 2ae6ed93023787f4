/** The second, since the Unix epoch, in which `afterMs` from now will be over: what a TTL attribute holds. */
export function epochSeconds(afterMs: number): number {
  return Math.ceil((Date.now() + afterMs) / 1_000)
}
