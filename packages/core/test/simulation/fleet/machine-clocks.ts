// The clock that every application has is put to the test itself: `SystemClock` reads the two clocks of the machine, and in the
// simulation those are the ones of the process that is running.

const shown = { monotonicMs: 0, wallMs: 0 }

/** From now on the machine's clocks show what `showClocks` says. Gives back what ends it; nothing else may run in between. */
export function takeMachineClocks(): () => void {
  const { now } = Date
  Object.defineProperty(performance, 'now', { value: () => shown.monotonicMs, configurable: true })
  Date.now = () => shown.wallMs
  return () => {
    Date.now = now
    Reflect.deleteProperty(performance, 'now')
  }
}

/** What the machine's clocks show. */
export function showClocks(monotonicMs: number, wallMs: number): void {
  shown.monotonicMs = monotonicMs
  shown.wallMs = wallMs
}
