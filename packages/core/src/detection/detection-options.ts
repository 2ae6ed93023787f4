/** What detection is built with: every field is there, in range, and never changes. */
export interface ResolvedDetectionOptions {
  /**
   * Bound of the memory for all of detection, remembered keys at two bytes a character included, but not the list that
   * `hotKeys` returns (15 KB for 45 keys). A key too long to be
   * remembered is never hot: the longest is about bytesMax/30 characters, 2,180 at 65,536.
   */
  readonly bytesMax: number
  /** After this time without traffic a rate has halved. Shorter notices a surge sooner and estimates more roughly. */
  readonly halfLifeMs: number
  /** How often `tick` is called. */
  readonly tickMs: number
  /** A key is hot for writes at this rate, a second, in this process: writes or write units, whichever is higher. */
  readonly hotWritesPerSecond: number
  /** A key is hot for reads at this rate, a second, in this process: reads or read units, whichever is higher. */
  readonly hotReadsPerSecond: number
  /** A hot key is cold again once its rate has stayed below half the threshold for this long without a break. */
  readonly coolMs: number
}
