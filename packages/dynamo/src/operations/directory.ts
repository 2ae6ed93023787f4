// Problem: the directory is swapped by whoever comes first, and the SDK may send a swap twice.
// Scheme: one item; a swap sets text and version under the condition that the version is still the expected one. A version has
//   a part that nobody else draws, so a swap that finds its own version in place knows that its first copy won.
// Invariants: no version comes back; of many that swap at once, one wins.
// Cost: one strong read, or one write of as many units as the text has KB.
// Source: Expressions.ConditionExpressions.html.

import {
  BackendError,
  directoryPlace,
  isBackendError,
  type Call,
  type DirectoryDocument,
  type DirectoryStore,
} from '@spillway/core'

import { documentAttribute, versionAttribute } from '../attributes.js'
import { nonce } from '../chance/nonce.js'
import { withThrottles } from '../effort.js'
import { Expression } from '../expression.js'
import type { Parts } from '../parts.js'
import type { HiddenThrottles } from '../requests.js'
import { attributeIn, type Item } from '../table.js'
import { look } from './look.js'
import { update } from './update.js'

/** The directory's item. */
export function directoryOf(parts: Parts): DirectoryStore {
  return {
    read: async (call) => documentOf((await look(parts, directoryPlace, call)).item),
    swap: (expected, text, call) => swap(parts, expected, text, call),
  }
}

async function swap(parts: Parts, expected: string | undefined, text: string, call: Call): Promise<string | undefined> {
  const count = expected === undefined ? 0 : parseInt(expected, 36) || 0 // it ends at the dot
  const unique = `${(count + 1).toString(36)}.${nonce()}`
  const expression = new Expression()
  const name = expression.name(versionAttribute)
  expression.require(
    expected === undefined ? `attribute_not_exists(${name})` : `${name} = ${expression.value({ S: expected })}`,
  )
  expression.set(versionAttribute, { S: unique })
  expression.set(documentAttribute, { S: text })
  const outcome = await update(parts, directoryPlace, expression, false, call)
  if (outcome.status === 'answered') return unique
  if (!outcome.hasLostCopies) return undefined
  const found = outcome.item ?? (await lookAfterLoss(parts, call, outcome.throttles))
  return documentOf(found).version === unique ? unique : undefined
}

/** Whether the first copy won is not known until the directory has been read. */
async function lookAfterLoss(parts: Parts, call: Call, earlier: HiddenThrottles): Promise<Item> {
  try {
    return (await look(parts, directoryPlace, call)).item
  } catch (error) {
    const text = 'A swap of the directory may have been done: it could not be read afterwards.'
    const throttles = isBackendError(error) ? error.throttles : undefined
    throw withThrottles(new BackendError('unknown', text, { cause: error, throttles }), earlier)
  }
}

function documentOf(item: Item): DirectoryDocument {
  return { text: attributeIn(item, documentAttribute)?.S, version: attributeIn(item, versionAttribute)?.S }
}
