import type { Field, ShardContents, ThrottleDetail } from '@spillway/core'

import { absorbedOf } from '../absorbed-text.js'
import { absorbedAttribute } from '../attributes.js'
import { stateOf } from '../field-state.js'
import { attributeIn, type Item, type Table } from '../table.js'

/** What an item holds of these fields, and what it took to learn it. Throws `BackendError` when an attribute holds something else. */
export function contentsOf(
  table: Table,
  fields: readonly Field[],
  item: Item,
  units: number | undefined,
  throttles: readonly ThrottleDetail[] | undefined,
): ShardContents {
  const { attributes } = table.layout(fields)
  return {
    status: 'read',
    states: fields.map((field, i) => stateOf(field, attributeIn(item, attributes[i] as string))),
    absorbed: absorbedOf(attributeIn(item, absorbedAttribute)?.S),
    units,
    throttles,
  }
}
