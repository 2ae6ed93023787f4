import { count, ms, plural } from '../format.js'
import type { StrategyResult } from '../run-strategy.js'
import { lagNoteOf, untoldOf } from './closing.js'

/**
 * What to conclude from the table, for and against Spillway; undefined without it, without a peer, or when the figures of a
 * run that was stopped or of a machine that was too slow allow no conclusion.
 */
export function conclusionOf(results: readonly StrategyResult[], windowMs: number): string | undefined {
  const own = results.find(({ id }) => id === 'c')
  const peers = results.filter(({ id }) => id !== 'c').toSorted((x, y) => (x.id < y.id ? -1 : 1))
  if (own === undefined || peers.length === 0) return undefined
  if (lagNoteOf(results) !== undefined || results.some(({ isInterrupted }) => isInterrupted)) return undefined
  const beside = (figure: (result: StrategyResult) => string) =>
    peers.map((peer) => `${peer.title} ${figure(peer)}`).join(', ')
  return [
    `What to conclude: with Spillway ${plural(failedOf(own), 'call')} failed and ${plural(untoldOf(own), 'total')} ended wrong with nobody told (${beside((peer) => `${count(failedOf(peer))} and ${count(untoldOf(peer))}`)}).`,
    `It costs ${shardsPerRead(own)} shards per read (${beside(shardsPerRead)}), ${plural(routeRequests(own), 'request')} for routes, up to ${ms(windowMs)} ms more for a write to a hot key, and,`,
    `since a key is spread only once it is hot, ${plural(throttledOf(own), 'throttled attempt')} (${beside((peer) => count(throttledOf(peer)))}).`,
  ].join('\n')
}

function failedOf({ writes, reads }: StrategyResult): number {
  return writes.rejected + writes.unknown + reads.failed
}

function throttledOf({ store }: StrategyResult): number {
  return store.writesThrottled + store.readsThrottled
}

function routeRequests({ store }: StrategyResult): number {
  return store.directoryReads + store.directorySwaps
}

function shardsPerRead({ store, reads }: StrategyResult): string {
  return reads.answered === 0 ? '–' : (store.shardsRead / reads.answered).toFixed(2)
}
