import type { SetTimer } from '@spillway/conformance'

/** Far more turns of the event loop than any rule needs on a backend in memory. */
const turnsMax = 5_000

/** A time-out that counts turns of the event loop: a busy machine makes it no shorter, a request that hangs no longer. */
export const turnsInsteadOfTime: SetTimer = (callback) => {
  let left = turnsMax
  let isOver = false
  const turn = () => {
    if (isOver) return
    left -= 1
    if (left > 0) setImmediate(turn)
    else callback()
  }
  setImmediate(turn)
  return () => {
    isOver = true
  }
}
