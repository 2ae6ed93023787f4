import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { BackendError, type Field } from '@spillway/core'

import { fieldAttribute, fieldOfAttribute, isOwnAttribute } from './attributes.js'
import { layoutOf, type FieldLayout } from './field-layout.js'
import type { ResolvedOptions } from './options.js'
import { sortAttribute, type SortKey } from './sort-attribute.js'

/** An item as the SDK gives it. */
export type Item = Record<string, AttributeValue>

/** The table as it is named: where items and fields stand in it. */
export class Table {
  /** Its name. */
  readonly name: string
  /** The attribute of the partition key. */
  readonly partitionKey: string
  /** Its sort key, if it has one. */
  readonly sortKey: SortKey | undefined
  /** The attributes of its key. */
  readonly keyNames: ReadonlySet<string>
  /** Its TTL attribute. */
  readonly ttlAttribute: string | undefined
  readonly #taken: ReadonlySet<string>
  readonly #layouts = new WeakMap<readonly Field[], FieldLayout>()

  constructor(options: ResolvedOptions) {
    this.name = options.table
    this.partitionKey = options.partitionKey
    const { sortKey, sortValue } = options
    this.sortKey = sortKey === undefined ? undefined : { name: sortKey, record: sortValue }
    this.ttlAttribute = options.ttlAttribute
    this.keyNames = new Set([options.partitionKey, sortKey].filter((name) => name !== undefined))
    this.#taken = new Set([...this.keyNames, options.ttlAttribute].filter((name) => name !== undefined))
  }

  /** The primary key of an item at a place: of the record's, or of that under a sort value. */
  key(place: string, sort = this.sortKey?.record): Item {
    const key: Item = { [this.partitionKey]: { S: place } }
    if (this.sortKey !== undefined && sort !== undefined) key[this.sortKey.name] = sortAttribute(sort)
    return key
  }

  /** The attribute of a field. */
  attribute(field: Field): string {
    return fieldAttribute(field.name, this.#taken)
  }

  /** Names of fields that stand in an item beside these; undefined for none. */
  otherFields(fields: readonly Field[], item: Item): readonly string[] | undefined {
    const asked = new Set(this.layout(fields).attributes)
    const others = this.fieldAttributes(item).filter((attribute) => !asked.has(attribute))
    return others.length === 0 ? undefined : others.map(fieldOfAttribute)
  }

  /** Attributes of an item that are neither the table's own nor Spillway's. */
  fieldAttributes(item: Item): readonly string[] {
    return Object.keys(item).filter((name) => !this.#taken.has(name) && !isOwnAttribute(name))
  }

  /** Where the fields of a record stand: remembered for as long as the very list is. */
  layout(fields: readonly Field[]): FieldLayout {
    const known = this.#layouts.get(fields)
    if (known !== undefined) return known
    const layout = layoutOf(fields, (field) => this.attribute(field), this.partitionKey)
    this.#layouts.set(fields, layout)
    return layout
  }
}

/** An attribute of an item; undefined where there is none, whatever it is called. */
export function attributeIn(item: Item, name: string): AttributeValue | undefined {
  return Object.hasOwn(item, name) ? item[name] : undefined
}

/** A number of Spillway's own in an item. Throws `BackendError` where somebody else has put something else under its name. */
export function numberIn(item: Item, name: string): number | undefined {
  const text = ownIn(item, name, 'N')
  return text === undefined ? undefined : Number(text)
}

/** A text of Spillway's own in an item. Throws `BackendError` where somebody else has put something else under its name. */
export function textIn(item: Item, name: string): string | undefined {
  return ownIn(item, name, 'S')
}

function ownIn(item: Item, name: string, type: 'N' | 'S'): string | undefined {
  const attribute = attributeIn(item, name)
  if (attribute === undefined) return undefined
  const text = attribute[type]
  if (text !== undefined) return text
  const stored = Object.keys(attribute).join(', ')
  throw new BackendError(
    'invalid',
    `Attribute ${JSON.stringify(name)} is Spillway's own and has type ${type}, but was found with type ${stored}: names with ~ are taken, so rename yours.`,
  )
}
