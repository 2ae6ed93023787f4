// Problem: an item is any JSON object, and has to look in the table as the application itself would have put it.
// Scheme: its properties are attributes of their own names and of the native types; names that the table or Spillway need get
//   `~f` in front.
// Invariants: what is stored comes back the same; an item that was there before is read whatever is in it.
// Cost: an object a value.
// Source: HowItWorks.NamingRulesDataTypes.html.

import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import type { ItemPart, ItemValue } from '@spillway/core'

import { nestedName, nestedProperty, propertyAttribute, propertyOf } from './attributes.js'
import { doubleOf, numberText } from './number-text.js'
import type { Item } from './table.js'

/** An item's attributes, beside those of the table's key. Throws `BackendError` for a number that DynamoDB does not have: it names where. */
export function attributesOf(value: ItemValue, keys: ReadonlySet<string>): Item {
  const item: Item = {}
  for (const [name, part] of Object.entries(value))
    item[propertyAttribute(name, keys)] = attributeOf(part, `item.${name}`)
  return item
}

function attributeOf(part: ItemPart, path: string): AttributeValue {
  switch (typeof part) {
    case 'string':
      return { S: part }
    case 'number':
      return { N: numberText(part, path) }
    case 'boolean':
      return { BOOL: part }
    case 'object':
      return nested(part, path)
    default:
      return part satisfies never
  }
}

function nested(part: ItemPart & (object | null), path: string): AttributeValue {
  if (part === null) return { NULL: true }
  if (isList(part)) return { L: part.map((of, i) => attributeOf(of, `${path}[${i}]`)) }
  const map: Item = {}
  for (const [name, of] of Object.entries(part)) map[nestedName(name)] = attributeOf(of, `${path}.${name}`)
  return { M: map }
}

function isList(part: object): part is readonly ItemPart[] {
  return Array.isArray(part)
}

/** What an item's attributes hold, as an object of the reader's own. */
export function valueOf(item: Item, keys: ReadonlySet<string>): ItemValue {
  const value: Record<string, ItemPart> = {}
  for (const [attribute, of] of Object.entries(item)) {
    const name = propertyOf(attribute, keys)
    if (name !== undefined) set(value, name, partOf(of))
  }
  return value
}

/** JSON has neither sets nor bytes, nor decimals of more digits than a double: they are read as arrays, base64 and text. */
function partOf({ S, N, BOOL, NULL, L, M, SS, NS, BS, B }: AttributeValue): ItemPart {
  if (S !== undefined) return S
  if (N !== undefined) return numberOf(N)
  if (BOOL !== undefined) return BOOL
  if (NULL !== undefined) return null
  if (L !== undefined) return L.map(partOf)
  if (M !== undefined) return mapOf(M)
  if (B !== undefined) return base64(B)
  return SS ?? NS?.map(numberOf) ?? BS?.map(base64) ?? null
}

function mapOf(map: Readonly<Item>): ItemPart {
  const value: Record<string, ItemPart> = {}
  for (const [name, of] of Object.entries(map)) set(value, nestedProperty(name), partOf(of))
  return value
}

function numberOf(text: string): ItemPart {
  return doubleOf(text) ?? text
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

/** Plain assignment of this one name would set the prototype. */
function set(value: Record<string, ItemPart>, name: string, part: ItemPart): void {
  if (name !== '__proto__') value[name] = part
  else Object.defineProperty(value, name, { value: part, enumerable: true, configurable: true, writable: true })
}
