// Problem: the SDK sends a write again when its answer was lost, and the first copy may have been applied.
// Scheme: a writer's last number is an attribute of its own, set by the very UpdateItem that it names and required to be
//   smaller in that one's condition. When the condition fails, the item says why.
// Invariants: a number is applied at most once; nothing is applied to a sealed shard; a number that may have been forgotten is
//   refused. The order of the judgement is the protocol's: dedupe, expired, sealed.
// Cost: 23 bytes in the item for each writer within the retry horizon.
// Source: docs/routing.md, rules dedupe and seal.

import type { ShardRef, WriteAnswer, WriteStamp } from '@spillway/core'

import { forgottenAttribute, sealedAttribute, writerAttribute } from './attributes.js'
import type { Expression } from './expression.js'
import { attributeIn, numberIn, type Item } from './table.js'

/** Requires that the number is new, and records it. */
export function requireNew(expression: Expression, stamp: WriteStamp): void {
  const [writer, forgotten] = [expression.name(writerAttribute(stamp.writer)), expression.name(forgottenAttribute)]
  const number = expression.value({ N: String(stamp.sequence) })
  const isUnknown = `attribute_not_exists(${writer})`
  expression.requireAny(
    `${writer} < ${number}`,
    `${isUnknown} AND attribute_not_exists(${forgotten})`,
    `${isUnknown} AND ${forgotten} < ${number}`,
  )
  expression.set(writerAttribute(stamp.writer), { N: String(stamp.sequence) })
}

/** Requires that the shard is not sealed. Shard 0 never is: it needs no such condition. */
export function requireOpen(expression: Expression): void {
  expression.require(`attribute_not_exists(${expression.name(sealedAttribute)})`)
}

/** What a shard's item says of a write; undefined when it may be applied. Throws `BackendError`. */
export function judgementOf(shard: ShardRef, known: Item, stamp: WriteStamp | undefined): WriteAnswer | undefined {
  if (stamp !== undefined) {
    const last = numberIn(known, writerAttribute(stamp.writer))
    if (last !== undefined && stamp.sequence <= last) return { status: 'done' }
    const forgottenUpTo = numberIn(known, forgottenAttribute)
    if (last === undefined && forgottenUpTo !== undefined && stamp.sequence <= forgottenUpTo)
      return { status: 'expired', forgottenUpTo }
  }
  return isSealed(shard, known) ? { status: 'sealed' } : undefined
}

/** Whether the shard of this item is frozen. Shard 0 never is, whatever an item that was there before holds. */
export function isSealed(shard: ShardRef, known: Item): boolean {
  return shard.index > 0 && attributeIn(known, sealedAttribute) !== undefined
}
