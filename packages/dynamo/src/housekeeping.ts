// Problem: an item must not remember every writer that ever wrote it, and nobody is told when a writer is gone.
// Scheme: now and then a write asks for the item that it left behind (which costs no capacity), and writers past the retry
//   horizon are taken out by one more write, each under the condition that it still has the number that was seen.
// Invariants: what is taken out raises the number up to which a shard has forgotten, in the same step; at most one
//   such write for sixteen writes, but for the first; none waits for it, and `settled` waits for all.
// Cost: at most one write unit per KB in sixteen writes, and only where writers have gone.
// Source: docs/routing.md, rule dedupe; API_UpdateItem.html: «no read capacity units are consumed» by ReturnValues.

import type { WriteStamp } from '@spillway/core'

import { forgottenAttribute, writerAttribute, writerOf } from './attributes.js'
import { requireOpen } from './dedupe.js'
import { Expression } from './expression.js'
import { forgottenAtOnceMax } from './limits.js'
import { update } from './operations/update.js'
import type { ItemParts } from './item-parts.js'
import { attributeIn, type Item } from './table.js'
import { callFor } from './time/call-for.js'

/** One housekeeping write has to be earned by so many writes. */
const writesEach = 16

/** What can be saved up for later. */
const creditMax = 4 * writesEach

/** So many housekeeping writes are under way at most; a store that does not answer gets no more of them. */
const underWayMax = 4

/** A housekeeping write is given up after so long; another write will see the same entries again. */
const patienceMs = 10_000

/** Forgets writers that are gone. */
export class Housekeeping {
  readonly #parts: ItemParts
  readonly #underWay = new Set<Promise<void>>()
  #credit = writesEach

  constructor(parts: ItemParts) {
    this.#parts = parts
  }

  /** Counts a write; answers whether it should bring back the item. About one in sixteen does, by its number: no key is passed over, and none of a writer that writes once. */
  wantsToLook({ sequence }: WriteStamp): boolean {
    this.#credit = Math.min(creditMax, this.#credit + 1)
    return this.#credit > writesEach && this.#underWay.size < underWayMax && isOneInSixteen(sequence)
  }

  /** Takes out the writers that an item remembers for too long. Does not wait. */
  tidy(place: string, item: Item, stamp: WriteStamp): void {
    const old = oldIn(item, stamp)
    if (old.length === 0) return
    this.#credit -= writesEach
    const expression = forgetting(old, seenIn(item, forgottenAttribute))
    const task = update(this.#parts, place, expression, false, callFor(patienceMs)).then(
      () => undefined,
      () => undefined, // another write will see them again
    )
    this.#underWay.add(task)
    void task.then(() => this.#underWay.delete(task))
  }

  /** Resolves when no housekeeping is under way. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay)
  }
}

/** By all bits of the number, whatever the steps in which a writer's numbers grow. */
function isOneInSixteen(sequence: number): boolean {
  let hash = Math.imul((sequence / 2 ** 32) ^ 0x85ebca6b, 0xc2b2ae35) ^ (sequence % 2 ** 32)
  hash = Math.imul(hash ^ (hash >>> 16), 0x9e3779b1)
  return (hash ^ (hash >>> 15)) >>> 28 === 0
}

interface Entry {
  readonly attribute: string
  readonly sequence: number
}

function oldIn(item: Item, stamp: WriteStamp): readonly Entry[] {
  const old: Entry[] = []
  for (const attribute of Object.keys(item)) {
    if (writerOf(attribute) === undefined || attribute === writerAttribute(stamp.writer)) continue
    const sequence = seenIn(item, attribute)
    if (sequence === undefined || sequence > stamp.forgetUpTo) continue
    old.push({ attribute, sequence })
    if (old.length === forgottenAtOnceMax) break
  }
  return old
}

/** The write that brought the item is in: it does not fail for what somebody else has put there. */
function seenIn(item: Item, attribute: string): number | undefined {
  const text = attributeIn(item, attribute)?.N
  return text === undefined ? undefined : Number(text)
}

function forgetting(old: readonly Entry[], forgottenUpTo: number | undefined): Expression {
  const expression = new Expression()
  requireOpen(expression) // a sealed shard goes on knowing what is in it
  let highest = 0
  for (const { attribute, sequence } of old) {
    const number = expression.value({ N: String(sequence) })
    expression.require(`${expression.name(attribute)} = ${number}`)
    expression.remove(attribute)
    highest = Math.max(highest, sequence)
  }
  if (forgottenUpTo === undefined || forgottenUpTo < highest) {
    const [name, value] = [expression.name(forgottenAttribute), expression.value({ N: String(highest) })]
    expression.requireAny(`attribute_not_exists(${name})`, `${name} < ${value}`)
    expression.set(forgottenAttribute, { N: String(highest) })
  }
  return expression
}
