// Problem: a Query may answer with no items and a place to go on from; engines at home never do without a filter.
// Scheme: the place is a key directly before the first item that the engine has answered with.
// Invariants: nothing that is asked for lies before the place; it lies within the query's condition, and behind its start.
// Source: Query.Pagination.html: «a page may be empty», and only LastEvaluatedKey says whether it is the last.

import type { Answer } from './answers.js'
import type { Key, KeySchema } from './key-schemas.js'

/** An attribute of a sort key. */
interface SortAttribute {
  readonly S?: string
  readonly N?: string
}

/** The empty page that may come before an answer of the engine; undefined where there is no room for one. `send` asks the engine. */
export async function emptyPageBefore(
  answer: Answer,
  input: Key,
  { sort, partition }: KeySchema,
  send: (input: Key) => Promise<Answer>,
): Promise<Answer | undefined> {
  const [first] = (answer.body['Items'] ?? []) as readonly Readonly<Record<string, SortAttribute>>[]
  if (first === undefined || sort === undefined) return undefined
  const isForward = input['ScanIndexForward'] !== false
  const place = before(first[sort] ?? {}, isForward)
  const start = (input['ExclusiveStartKey'] as Readonly<Record<string, SortAttribute>> | undefined)?.[sort]
  if (place === undefined || (start !== undefined && !isBehind(place, start, isForward))) return undefined
  const lastKey = { [partition]: first[partition], [sort]: place }
  const probe = await send({ ...input, ExclusiveStartKey: lastKey, Limit: 1 })
  if (probe.status !== 200) return undefined // outside of the condition
  const { ConsumedCapacity } = probe.body
  const body = { Items: [], Count: 0, ScannedCount: 0, LastEvaluatedKey: lastKey, ConsumedCapacity }
  return { status: 200, body }
}

function before({ S: text, N: number }: SortAttribute, isForward: boolean): SortAttribute | undefined {
  if (number !== undefined) return { N: String(Number(number) + (isForward ? -0.25 : 0.25)) }
  if (text === undefined) return undefined
  if (!isForward) return { S: `${text} ` }
  const last = text.charCodeAt(text.length - 1)
  return last > 0x20 && last < 0x7f ? { S: `${text.slice(0, -1)}${String.fromCharCode(last - 1)}~` } : undefined
}

function isBehind(place: SortAttribute, start: SortAttribute, isForward: boolean): boolean {
  const order =
    place.N === undefined
      ? Buffer.compare(Buffer.from(place.S ?? ''), Buffer.from(start.S ?? ''))
      : Number(place.N) - Number(start.N)
  return isForward ? order > 0 : order < 0
}
