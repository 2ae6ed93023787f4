import type { Field, ShardContents } from '@spillway/core'

import { absorbedOf } from '../absorbed-text.js'
import { absorbedAttribute } from '../attributes.js'
import { stateOf } from '../field-state.js'
import { attributeIn, type Item, type Table } from '../table.js'

/** What an item holds of these fields. Throws `BackendError` when an attribute holds something else. */
export function contentsOf(
  table: Table,
  fields: readonly Field[],
  item: Item,
  units: number | undefined,
): ShardContents {
  return {
    status: 'read',
    states: fields.map((field) => stateOf(field, attributeIn(item, table.attribute(field)))),
    absorbed: absorbedOf(attributeIn(item, absorbedAttribute)?.S),
    units,
  }
}
