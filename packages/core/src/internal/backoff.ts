import type { Random } from '../chance/random.js'

const firstMs = 25
const mostMs = 1_000

/**
 * How long to wait before attempt `attempt` + 1: full jitter under a doubling bound.
 * Source: aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter; 25 ms is what AWS's SDKs take for DynamoDB.
 */
export function backoffMs(attempt: number, random: Random): number {
  return random.next() * Math.min(mostMs, firstMs * 2 ** (attempt - 1))
}
