/** Milliseconds that have passed on the machine's monotonic clock, from some fixed moment on. */
export function elapsedMs(): number {
  return performance.now()
}

/** The same from a moment that all processes of the machine share. */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** Milliseconds since the Unix epoch. */
export function wallMs(): number {
  return Date.now()
}
