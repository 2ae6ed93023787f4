import type { DynamoDBClientConfig } from '@aws-sdk/client-dynamodb'
import type { RoutingOptions } from '@spillway/core'

type Environment = Readonly<Record<string, string | undefined>>

/** Where DynamoDB is. In AWS nothing is set, and the SDK finds region and credentials of the function's role. */
export function accessFrom(env: Environment): DynamoDBClientConfig {
  const endpoint = env['DYNAMODB_ENDPOINT']
  return endpoint === undefined ? {} : { endpoint }
}

/** The timings of the directory, for a test that has no time; the defaults are right for AWS. */
export function routingFrom(env: Environment): RoutingOptions {
  const leaseMs = env['LEASE_MS']
  return leaseMs === undefined ? {} : { leaseMs: Number(leaseMs), refreshMs: Number(leaseMs) / 5 }
}

/** A variable that must be set. */
export function required(env: Environment, name: string): string {
  const value = env[name]
  if (value === undefined || value === '') throw new TypeError(`${name} must be set`)
  return value
}
