import logUpdate from 'log-update'
import colors from 'picocolors'

import type { Snapshot, Watcher } from '../run-strategy.js'
import { count } from '../format.js'

const liveMs = 150
const plainMs = 3_000
const hotKeysShown = 4

/** Shows a strategy under way: redrawn in a terminal, elsewhere a line every few seconds. */
export function createProgress(isLive: boolean, print: (line: string) => void): Watcher {
  let timer: NodeJS.Timeout | undefined
  let show: (() => void) | undefined
  return {
    began(snapshot) {
      const rate = new Rate()
      rate.of(snapshot(), performance.now())
      show = () => {
        const now = snapshot()
        const perSecond = rate.of(now, performance.now())
        if (isLive) logUpdate(liveLines(now, perSecond).join('\n'))
        else print(plainLine(now, perSecond))
      }
      timer = setInterval(show, isLive ? liveMs : plainMs)
    },
    ended() {
      clearInterval(timer)
      show?.()
      show = undefined
      if (isLive) logUpdate.done()
    },
  }
}

/** Whether the output is a terminal that can be redrawn. */
export function isLiveTerminal(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean {
  return stream.isTTY === true && (env['CI'] ?? '') === '' && env['TERM'] !== 'dumb'
}

/** What was done a second since the time before. */
class Rate {
  #last: { readonly phase: Snapshot['phase']; readonly done: number; readonly atMs: number } | undefined

  of({ phase, done }: Snapshot, atMs: number): number {
    const last = this.#last
    this.#last = { phase, done, atMs }
    if (last === undefined || last.phase !== phase || atMs <= last.atMs) return 0
    return ((done - last.done) / (atMs - last.atMs)) * 1_000
  }
}

function liveLines(now: Snapshot, perSecond: number): string[] {
  const width = 24
  const filled = Math.round((now.done / Math.max(1, now.total)) * width)
  const bar = colors.cyan('█'.repeat(filled)) + colors.dim('░'.repeat(width - filled))
  return [
    `${colors.bold(now.title)} ${bar} ${progressOf(now, perSecond)}`,
    `  ${troubleOf(now)}`,
    `  ${hotKeysOf(now)}`,
  ]
}

function plainLine(now: Snapshot, perSecond: number): string {
  return `${now.title}: ${progressOf(now, perSecond)}; ${troubleOf(now)}; ${hotKeysOf(now)}`
}

function progressOf({ phase, done, total, inFlight }: Snapshot, perSecond: number): string {
  if (phase === 'check') return `checking: ${count(done)} of ${count(total)} keys read back, ${count(perSecond)}/s`
  return `${count(done)} of ${count(total)} lines, ${count(perSecond)}/s, ${count(inFlight)} in flight`
}

function troubleOf({ store, failed }: Snapshot): string {
  const throttled = store.writesThrottled + store.readsThrottled
  return `${paint(throttled, `${count(throttled)} throttled`)}, ${paint(failed, `${count(failed)} writes failed`)}`
}

function paint(value: number, text: string): string {
  return value === 0 ? text : colors.red(text)
}

function hotKeysOf({ hotKeys }: Snapshot): string {
  if (hotKeys.length === 0) return 'no hot keys'
  const shown = hotKeys.slice(0, hotKeysShown).map(({ key, writesPerSecond, fanout }) => {
    const spread = fanout === undefined ? '' : ` on ${fanout} ${fanout === 1 ? 'shard' : 'shards'}`
    return `${key} ${count(writesPerSecond)}/s${spread}`
  })
  const rest = hotKeys.length - shown.length
  return `hot: ${shown.join(', ')}${rest > 0 ? `, ${rest} more` : ''}`
}
