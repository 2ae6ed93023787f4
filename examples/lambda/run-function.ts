// Problem: a function's processes are many, short-lived, stand still for any time and end without notice, while the key that all
//   of them write is spread by somebody else.
// Scheme: instances serve invocations at once, each with pauses of its own, some longer than a lease; a client elsewhere grows
//   the hot page's route while some instances are frozen; some never wake up.
// Invariants: the table counts exactly the views of the invocations that succeeded.
// Cost: a process an instance.
// Source: the AWS Lambda Developer Guide, «Lambda execution environment lifecycle».

import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { createClient } from '@spillway/core'
import { dynamo } from '@spillway/dynamo'
import { createTable } from '@spillway/dynamo/setup'
import { dynamoAccess, pause, startDynalite, waitUntil } from '@spillway/testkit'

import { accessFrom, routingFrom } from './environment.js'
import { FunctionInstance } from './function-instance.js'
import { pagePrefix, pageRecords } from './page-records.js'
import type { Answer } from './runtime.js'

/** What came of it. */
export interface Outcome {
  /** Views of the hot page that the table counts. */
  readonly stored: number
  /** Views of the hot page in invocations that succeeded. */
  readonly acknowledged: number
  /** Why invocations failed. */
  readonly errors: readonly string[]
  readonly invocationCount: number
  readonly killedCount: number
  /** What each instance answered before the hot page grew, and in its first invocation after it slept for longer than a lease. */
  readonly before: readonly Answer[]
  readonly after: readonly Answer[]
}

const table = 'page-views'
const hotPage = 'home'
const hotKey = `${pagePrefix}${hotPage}`
const fanoutWanted = 4
const leaseMs = 500
const instanceCount = 4
const awakeCount = 1
const roundCount = 8

/** Runs the function on a DynamoDB of its own, and counts. */
export async function runFunction(onLine: (line: string) => void = () => undefined): Promise<Outcome> {
  const engine = await startDynalite()
  const { region, credentials } = dynamoAccess()
  const env = {
    TABLE: table,
    DYNAMODB_ENDPOINT: engine.endpoint,
    LEASE_MS: String(leaseMs),
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  }
  const dynamoDb = new DynamoDBClient({ ...accessFrom(env), region, credentials, maxAttempts: 1 })
  const service = new FunctionService(env, onLine)
  try {
    await createTable({ client: dynamoDb, table })
    await service.start(instanceCount)
    const before = await service.invokeAll()
    await using elsewhere = await createClient({
      backend: dynamo({ client: dynamoDb, table }),
      routing: routingFrom(env),
      sharding: { rules: [{ match: hotKey, fanout: fanoutWanted }] },
    })
    let fanout = 1
    elsewhere.on('route-changed', ({ key, write }) => {
      if (key !== hotKey) return
      onLine(`elsewhere: ${key} has ${write} shards`)
      fanout = write
    })
    await service.keepBusy(awakeCount, () => fanout === fanoutWanted)
    await pause(2 * leaseMs) // everybody's lease is over, and nobody could notice it end
    const after = await service.invokeAll()
    const killedCount = await service.replace(1)
    await service.rounds(roundCount)
    const home = await pageRecords(elsewhere).read(hotPage)
    const { acknowledged, errors, invocationCount } = service
    return { stored: home.views, acknowledged, errors, invocationCount, killedCount, before, after }
  } finally {
    await service.close()
    dynamoDb.destroy()
    await engine.close()
  }
}

/** Starts, calls, freezes and ends instances, and counts what they answered. */
class FunctionService {
  readonly #env: Readonly<Record<string, string>>
  readonly #onLine: (line: string) => void
  #instances: FunctionInstance[] = []
  acknowledged = 0
  invocationCount = 0
  readonly errors: string[] = []

  constructor(env: Readonly<Record<string, string>>, onLine: (line: string) => void) {
    this.#env = env
    this.#onLine = onLine
  }

  /** Cold starts, at once. */
  async start(count: number): Promise<void> {
    const started = await Promise.all(Array.from({ length: count }, () => FunctionInstance.start(this.#env)))
    this.#instances.push(...started)
    this.#onLine(`${count} cold starts`)
  }

  /** One invocation of each, at once. */
  async invokeAll(): Promise<readonly Answer[]> {
    return Promise.all(this.#instances.map((instance) => this.#invoke(instance)))
  }

  /** Keeps the first few busy until it is enough; the others stay frozen. */
  async keepBusy(count: number, isEnough: () => boolean): Promise<void> {
    const over = new AbortController()
    const busy = this.#instances.slice(0, count).map(async (instance) => {
      while (!over.signal.aborted) {
        await this.#invoke(instance)
        await pause(50)
      }
    })
    try {
      await waitUntil('the hot page has grown', isEnough)
    } finally {
      over.abort()
      await Promise.all(busy)
    }
  }

  /** Kills some in their sleep, and has as many cold starts. */
  async replace(count: number): Promise<number> {
    await Promise.all(this.#instances.splice(-count).map((instance) => instance.kill()))
    this.#onLine(`${count} ended in their sleep`)
    await this.start(count)
    return count
  }

  /** Invocations of all, each at its own pace: some sleep longer than a lease between two of them. */
  async rounds(count: number): Promise<void> {
    await Promise.all(
      this.#instances.map(async (instance, i) => {
        for (let round = 0; round < count; round++) {
          await pause((round + i) % 4 === 3 ? 1.2 * leaseMs : 20)
          await this.#invoke(instance)
        }
      }),
    )
  }

  /** Ends all of them. */
  async close(): Promise<void> {
    await Promise.all(this.#instances.map((instance) => instance.kill()))
    this.#instances = []
  }

  async #invoke(instance: FunctionInstance): Promise<Answer> {
    const pages = [hotPage, hotPage, `page-${this.invocationCount % 7}`]
    const answer = await instance.invoke({ pages, atMs: ++this.invocationCount })
    if (answer.error === undefined) this.acknowledged += 2
    else this.errors.push(answer.error)
    return answer
  }
}
