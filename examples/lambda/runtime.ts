// What runs in each instance, as AWS's runtime does: it loads the handler once, then serves one invocation after another.

import { client, dynamoDb, handler, type Views } from './handler.js'

/** What an instance answers. */
export interface Answer {
  /** Why the invocation failed; undefined when it succeeded. */
  readonly error: string | undefined
  /** What it asked of DynamoDB since its last answer, and what was answered, in that order. */
  readonly requests: readonly string[]
  /** Over how many shards the hot page is written, as far as this instance has been told of changes. */
  readonly fanout: number
}

let fanout = 1
client.on('route-changed', ({ write }) => (fanout = write))

let requests: string[] = []
dynamoDb.middlewareStack.add(
  (next, { commandName }) =>
    async (args) => {
      const name = `${commandName} ${keyOf(args.input)}`
      requests.push(`${name} sent`)
      const result = await next(args)
      requests.push(`${name} answered`)
      return result
    },
  { step: 'initialize' },
)

function keyOf(input: object): string | undefined {
  return (input as { Key?: { pk?: { S?: string } } }).Key?.pk?.S
}

async function answer(views: Views): Promise<Answer> {
  const error = await handler(views).then(
    () => undefined,
    (reason: unknown) => String(reason),
  )
  const answered = { error, requests, fanout }
  requests = []
  return answered
}

process.on('message', (views: Views) => void answer(views).then((answered) => process.send?.(answered)))
process.send?.('ready')
