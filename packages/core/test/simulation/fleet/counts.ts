/** What happened in a world, in numbers: a world in which nothing did shows nothing. */
export interface Counts {
  written: number
  rejected: number
  unknown: number
  reads: number
  failedReads: number
  crashes: number
  growths: number
  drains: number
}

/** Before anything has happened. */
export function noCounts(): Counts {
  return { written: 0, rejected: 0, unknown: 0, reads: 0, failedReads: 0, crashes: 0, growths: 0, drains: 0 }
}
