import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { BackendError } from '@spillway/core'

/**
 * An attribute that was there before, as the JSON value that a `latest` field reads. Numbers become doubles. Throws
 * `BackendError` for sets and binary data, which JSON does not have.
 */
export function jsonOfAttribute(field: string, attribute: AttributeValue): string {
  return JSON.stringify(valueOf(field, attribute))
}

function valueOf(field: string, attribute: AttributeValue): unknown {
  if (attribute.S !== undefined) return attribute.S
  if (attribute.N !== undefined) return Number(attribute.N)
  if (attribute.BOOL !== undefined) return attribute.BOOL
  if (attribute.NULL !== undefined) return null
  if (attribute.L !== undefined) return attribute.L.map((item) => valueOf(field, item))
  if (attribute.M !== undefined)
    return Object.fromEntries(Object.entries(attribute.M).map(([name, item]) => [name, valueOf(field, item)]))
  const stored = Object.keys(attribute).join(', ')
  throw new BackendError(
    'invalid',
    `Field ${JSON.stringify(field)} holds an attribute of type ${stored}, which latest cannot take over.`,
  )
}
