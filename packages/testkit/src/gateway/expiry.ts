import type { Answer } from './answers.js'

/** Sends one operation to the engine. */
export type Send = (operation: string, input: object) => Promise<Answer>

interface Page {
  readonly Items?: readonly Record<string, { readonly N?: string }>[]
  readonly LastEvaluatedKey?: object
}

/**
 * Deletes what has expired in a table, as the service does within days: items whose TTL attribute is a number of seconds
 * in the past. Answers with how many. Source: howitworks-ttl.html.
 */
export async function expire(send: Send, table: string, attribute: string, nowSeconds: number): Promise<number> {
  const described = (await send('DescribeTable', { TableName: table })).body as {
    readonly Table?: { readonly KeySchema?: readonly { readonly AttributeName: string }[] }
  }
  const keys = described.Table?.KeySchema ?? []
  let [expired, from]: [number, object | undefined] = [0, undefined]
  do {
    const start = from === undefined ? {} : { ExclusiveStartKey: from }
    const page = (await send('Scan', { TableName: table, ConsistentRead: true, ...start })).body as Page
    for (const item of page.Items ?? []) {
      const dueSeconds = Number(item[attribute]?.N ?? Infinity)
      if (dueSeconds > nowSeconds) continue
      const key = Object.fromEntries(keys.map(({ AttributeName }) => [AttributeName, item[AttributeName]]))
      const { status } = await send('DeleteItem', {
        TableName: table,
        Key: key,
        ConditionExpression: '#due <= :now', // it may have been written since
        ExpressionAttributeNames: { '#due': attribute },
        ExpressionAttributeValues: { ':now': { N: String(nowSeconds) } },
      })
      if (status === 200) expired += 1
    }
    from = page.LastEvaluatedKey
  } while (from !== undefined)
  return expired
}
