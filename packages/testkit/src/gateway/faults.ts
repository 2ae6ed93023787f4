/** What goes wrong from now on: chances from 0 to 1, each drawn for each request. */
export interface GatewayFaults {
  /** The request is carried out and answered with HTTP 500. @default 0 */
  readonly errorAfterEffect?: number
  /** The request is carried out and the connection is cut instead of an answer. @default 0 */
  readonly resetAfterEffect?: number
  /** The connection is cut before anything is done. @default 0 */
  readonly resetBeforeEffect?: number
  /** The request is refused for lack of capacity. @default 0 */
  readonly throttle?: number
  /** The reason that such a refusal gives. @default 'TableWriteKeyRangeThroughputExceeded' */
  readonly throttleReason?: string
  /** Each key or item of a batch is left unprocessed. @default 0 */
  readonly leaveOut?: number
  /** A Query is answered with no items and the place to go on from, before its items. @default 0 */
  readonly emptyPage?: number
  /** Each answer is held back for up to so many milliseconds. @default 0 */
  readonly delayMsMax?: number
  /** Which operations are struck, such as `['UpdateItem']`. @default all */
  readonly operations?: readonly string[]
}

/** What happens to one request. */
export interface Fate {
  /** The connection is cut before anything is done. */
  readonly resetsBefore: boolean
  /** It is refused for lack of capacity. */
  readonly isThrottled: boolean
  /** It is carried out and answered with HTTP 500. */
  readonly errsAfter: boolean
  /** It is carried out and the connection is cut. */
  readonly resetsAfter: boolean
  /** Its answer is held back for so long. */
  readonly delayMs: number
}

const spared: Fate = { resetsBefore: false, isThrottled: false, errsAfter: false, resetsAfter: false, delayMs: 0 }

/** Draws a request's fate: always as many numbers, so that one fault more does not move all the others. */
export function fateOf(faults: GatewayFaults, operation: string, draw: () => number): Fate {
  const [before, throttle, error, after, delay] = [draw(), draw(), draw(), draw(), draw()]
  if (faults.operations !== undefined && !faults.operations.includes(operation)) return spared
  return {
    resetsBefore: before < (faults.resetBeforeEffect ?? 0),
    isThrottled: throttle < (faults.throttle ?? 0),
    errsAfter: error < (faults.errorAfterEffect ?? 0),
    resetsAfter: after < (faults.resetAfterEffect ?? 0),
    delayMs: delay * (faults.delayMsMax ?? 0),
  }
}
