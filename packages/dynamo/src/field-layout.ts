import type { Field } from '@spillway/core'

import { absorbedAttribute } from './attributes.js'

/** What a read asks for, as the request has it. */
export interface Projection {
  readonly ProjectionExpression: string
  readonly ExpressionAttributeNames: Readonly<Record<string, string>>
}

/** Where the fields of a record stand in an item. Made once a record. */
export interface FieldLayout {
  /** The attribute of each field, in their order. */
  readonly attributes: readonly string[]
  /** Only what is looked at. */
  readonly projection: Projection
  /** The same with the partition key, by which the items of a batch are told apart. */
  readonly keyedProjection: Projection
}

/** Works out where fields stand. */
export function layoutOf(
  fields: readonly Field[],
  attributeOf: (field: Field) => string,
  partitionKey: string,
): FieldLayout {
  const attributes = fields.map(attributeOf)
  const looked = [...new Set([...attributes, absorbedAttribute])]
  return { attributes, projection: projectionOf(looked), keyedProjection: projectionOf([...looked, partitionKey]) }
}

/** By placeholders, since a name may be a reserved word or hold dots. */
function projectionOf(attributes: readonly string[]): Projection {
  const names = attributes.map((attribute, i) => [`#${i.toString(36)}`, attribute] as const)
  return {
    ProjectionExpression: names.map(([placeholder]) => placeholder).join(', '),
    ExpressionAttributeNames: Object.fromEntries(names),
  }
}
