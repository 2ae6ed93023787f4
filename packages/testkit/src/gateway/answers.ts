// What the gateway answers in the engine's place, in the shapes that AWS documents: Programming.Errors.html,
// throttling-diagnosing-workflow.html, API_ThrottlingReason.html, API_UpdateItem.html.

/** An answer of the service, or of its engine. */
export interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

const data = 'com.amazonaws.dynamodb.v20120810#'

/** A refusal for lack of capacity. Tables with a rate of their own and tables paid by the request name it, and its reasons, differently. */
export function throttled(mode: 'provisioned' | 'onDemand', reason: string, table: string): Answer {
  const index = reason.startsWith('Index') ? '/index/by-other' : ''
  const reasons = [{ reason, resource: `arn:aws:dynamodb:us-east-1:000000000000:table/${table}${index}` }]
  if (mode === 'onDemand') {
    const message = `Throughput exceeds the current capacity of your table or index: ${reason}`
    return refusal(400, 'ThrottlingException', { message, throttlingReasons: reasons })
  }
  const message = `The level of configured provisioned throughput for the table was exceeded: ${reason}`
  return refusal(400, 'ProvisionedThroughputExceededException', { message, ThrottlingReasons: reasons })
}

/** A failure of the service itself: the request may have been carried out. */
export const serverError: Answer = {
  status: 500,
  body: {
    __type: `${data}InternalServerError`,
    message: 'The request processing has failed because of an unknown error.',
  },
}

/** Whether an answer says that a condition did not hold. */
export function isConditionFailure({ status, body }: Answer): boolean {
  return status === 400 && String(body['__type']).endsWith('#ConditionalCheckFailedException')
}

/** The same answer with the item that was found. */
export function withItem(answer: Answer, item: unknown): Answer {
  return item === undefined ? answer : { ...answer, body: { ...answer.body, Item: item } }
}

/** A request that can never succeed. */
export function invalid(message: string): Answer {
  return { status: 400, body: { __type: 'com.amazon.coral.validate#ValidationException', message } }
}

function refusal(status: number, name: string, fields: Record<string, unknown>): Answer {
  return { status, body: { __type: data + name, ...fields } }
}
