import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'

import type { StoreCounts } from './store-counts.js'

/** What the requests of interest have in common. */
interface Input {
  readonly Key?: KeyOf
  readonly RequestItems?: Readonly<Record<string, { readonly Keys?: readonly KeyOf[] }>>
}

type KeyOf = Readonly<Record<string, { readonly S?: string }>>

interface Output {
  readonly ConsumedCapacity?: Consumed | readonly Consumed[]
  readonly UnprocessedKeys?: Input['RequestItems']
}

interface Consumed {
  readonly CapacityUnits?: number
}

/** What Spillway's own items have in their keys. */
const mark = '~spillway~'

/** Counts every attempt of a client of the AWS SDK, also those that it repeats by itself, and tells of keys whose write is throttled. */
export function meter(client: DynamoDBClient, counts: StoreCounts, onThrottle: (key: string) => void): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const request = requestOf(args.input as Input)
      begin(request, counts)
      try {
        const result = await next(args)
        end(request, result.output as Output, counts)
        return result
      } catch (error) {
        if (isThrottle(error)) {
          if (request.isWrite) onThrottle(request.key)
          counts[request.isWrite ? 'writesThrottled' : 'readsThrottled'] += 1
        }
        throw error
      }
    },
    { step: 'deserialize', priority: 'high', name: 'demoMeter' },
  )
}

interface MeteredRequest {
  readonly kind: 'shards' | 'directory' | 'other'
  readonly isWrite: boolean
  readonly key: string
  readonly shardCount: number
}

function requestOf(input: Input & { readonly UpdateExpression?: string }): MeteredRequest {
  const batch = Object.values(input.RequestItems ?? {}).flatMap(({ Keys }) => Keys ?? [])
  const places = [...(input.Key === undefined ? [] : [input.Key]), ...batch]
  const place = Object.values(places[0] ?? {})[0]?.S ?? ''
  const kind = places.length === 0 ? 'other' : place.startsWith(mark) ? 'directory' : 'shards'
  const isWrite = input.UpdateExpression !== undefined
  return { kind, isWrite, key: place.split(mark)[0] ?? '', shardCount: places.length }
}

function begin({ kind, isWrite, shardCount }: MeteredRequest, counts: StoreCounts): void {
  if (kind === 'directory') counts[isWrite ? 'directorySwaps' : 'directoryReads'] += 1
  if (kind !== 'shards') return
  counts[isWrite ? 'writeRequests' : 'readRequests'] += 1
  if (!isWrite) counts.shardsRead += shardCount
}

function end({ isWrite }: MeteredRequest, output: Output, counts: StoreCounts): void {
  const consumed = [output.ConsumedCapacity ?? []].flat()
  for (const { CapacityUnits = 0 } of consumed) counts[isWrite ? 'writeUnits' : 'readUnits'] += CapacityUnits
  for (const { Keys = [] } of Object.values(output.UnprocessedKeys ?? {})) counts.readsThrottled += Keys.length
}

/** Whether the service refused for lack of capacity. */
export function isThrottle(error: unknown): boolean {
  const names = ['ProvisionedThroughputExceededException', 'ThrottlingException', 'RequestLimitExceeded']
  return error instanceof Error && names.includes(error.name)
}
