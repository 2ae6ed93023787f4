/** Whether a key is hot on one side. Cooling is still hot: the rate has fallen below the lower threshold, but not for long enough. */
export type HeatState =
  { readonly kind: 'cold' } | { readonly kind: 'hot' } | { readonly kind: 'cooling'; readonly sinceMs: number }

/** The two thresholds and the time between them. */
export interface Thresholds {
  /** A cold key becomes hot at this rate, a second. */
  readonly hotPerSecond: number
  /** A hot key may become cold below this rate, a second. */
  readonly coldPerSecond: number
  /** How long the rate has to stay below `coldPerSecond` without a break. */
  readonly coolMs: number
}

/** The state that every key starts in. */
export const cold: HeatState = Object.freeze({ kind: 'cold' })

const hot: HeatState = Object.freeze({ kind: 'hot' })

/**
 * The state that follows `state` when the key's rate is `perSecond` at `nowMs`. Pure. A rate between the two thresholds
 * changes nothing, but ends a cooling; so a key whose rate swings around one threshold does not flap.
 */
export function nextHeatState(state: HeatState, perSecond: number, thresholds: Thresholds, nowMs: number): HeatState {
  switch (state.kind) {
    case 'cold':
      return perSecond >= thresholds.hotPerSecond ? hot : state
    case 'hot':
      return perSecond < thresholds.coldPerSecond
        ? cooled({ kind: 'cooling', sinceMs: nowMs }, thresholds, nowMs)
        : state
    case 'cooling':
      return perSecond < thresholds.coldPerSecond ? cooled(state, thresholds, nowMs) : hot
    default:
      return state satisfies never
  }
}

function cooled(state: HeatState & { kind: 'cooling' }, thresholds: Thresholds, nowMs: number): HeatState {
  return nowMs - state.sinceMs >= thresholds.coolMs ? cold : state
}
