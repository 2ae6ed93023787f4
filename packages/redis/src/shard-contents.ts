import { BackendError, type Field, type ShardContents } from '@spillway/core'

import { absorbedField, absorbedOf, hashFieldOf, nameOf, routeField, routeOf, stateOf } from './field-state.js'

/** What HMGET is asked for, so that {@link contentsOf} finds it. A route stands in shard 0 alone. */
export function fieldNamesOf(fields: readonly Field[], shardIndex: number): readonly string[] {
  const names = fields.map(({ name }) => hashFieldOf(name))
  names.push(absorbedField)
  if (shardIndex === 0) names.push(routeField)
  return names
}

/** What HMGET says of a shard. Throws `BackendError` for an answer of another form, and for a field that holds no state of its rule. */
export function contentsOf(fields: readonly Field[], values: unknown): ShardContents {
  if (!Array.isArray(values) || values.length < fields.length + 1 || values.length > fields.length + 2)
    throw new BackendError('unavailable', 'Redis answered a read in a form that is not known.')
  return {
    status: 'read',
    states: fields.map((field, i) => stateOf(field, values[i])),
    absorbed: absorbedOf(values[fields.length]),
    route: routeOf(values[fields.length + 1]),
  }
}

/** Names of fields that a seal was not asked for. Throws `BackendError` for an answer of another form. */
export function otherFieldsOf(fields: unknown): readonly string[] | undefined {
  if (!Array.isArray(fields))
    throw new BackendError('unavailable', 'Redis answered a seal in a form that is not known.')
  return fields.length === 0 ? undefined : fields.map((field) => nameOf(String(field)))
}
