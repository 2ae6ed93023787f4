// Problem: a store does what it is asked and the answer is lost on its way; who takes that for a refusal writes it elsewhere, too.
// Scheme: each request is tried with its first answer lost, then its second, and so on until it gets by without the lost one: once
//   with one answer lost, where a client that asks again meets what it has done itself, and once with that one and all after it.
// Invariants: a hook that loses nothing breaks every rule here.
// Cost: some dozen requests a rule.

import type { FailureKind } from '@spillway/core'

import { ensure } from './ensure.js'
import { settled, type Settled } from './settled.js'
import type { World } from './world.js'

/** More requests than any adapter needs for one of the port's where nobody else writes. */
const answeredMax = 8

/** One request whose answers are to be lost, before a world of its own. */
export interface Attempt<T> {
  readonly send: () => Promise<T>
  /** Looks at what stands. `kind` is what the request failed with, undefined if it was answered. */
  readonly look: (outcome: Settled<T>, kind: FailureKind | undefined) => Promise<void>
}

/** Loses the answers of a request in every way there is. `prepare` makes each attempt, under a name of its own. */
export async function ensureRight<T>(
  world: World,
  what: string,
  prepare: (name: string) => Promise<Attempt<T>>,
): Promise<void> {
  for (let answered = 0; answered < answeredMax; answered++) {
    let isAnswered = false
    for (const lost of [1, Infinity]) {
      const { send, look } = await prepare(`${answered}-${lost}`)
      const outcome = await world.whileLosing(answered, lost, () => settled(what, send))
      await look(outcome, outcome.status === 'failed' ? outcome.error.kind : undefined)
      isAnswered = outcome.status === 'answered'
    }
    ensure(!isAnswered || answered > 0, `Expected ${what} to fail while every answer is lost, but it was answered.`)
    if (isAnswered) return
  }
}

/** How a request ended, in words. */
export function toldOf(kind: FailureKind | undefined): string {
  return kind === undefined ? 'was answered' : `failed as «${kind}»`
}
