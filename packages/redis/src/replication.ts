// Problem: Redis answers before any replica has what was written, and a failover takes it back. For data that is what Redis
//   gives; but a seal, an absorption, a stamp or a directory that is taken back after others have built upon it would lose
//   writes that Redis still has.
// Scheme: the scripts that change those answer with how many replicas are attached. Where there are any, a script that writes the
//   same once more, and changes nothing by it, goes out with a WAIT behind it on the same connection; replication keeps the order
//   of writes, so whoever has this has what came before.
// Invariants: resolves only when a replica has it; otherwise «unknown», and the same request may be made again. The answer that
//   counts is the last one: after a failover in between, the first was that of a server whose data is gone.
// Cost: one more round trip with replicas, none without. WAIT holds up the other commands of its connection meanwhile.
// Source: redis.io/docs/latest/commands/wait; docs/routing.md, «When the store itself forgets».

import { BackendError } from '@spillway/core'

import type { RedisPort } from './client-port.js'
import type { ResolvedRedisOptions } from './options.js'
import { replicaWaitsOf } from './replica-waits.js'
import type { Script } from './scripts/script.js'

/** A change that replicas are waited for. */
export interface Replicated {
  readonly script: Script
  readonly key: string
  readonly args: readonly string[]
  /** Whether replicas must have what the answer speaks of. */
  readonly mustStand: (answer: unknown) => boolean
}

/**
 * Runs a script and a WAIT behind it on the same connection, which then covers what the script wrote; resolves with the script's
 * answer once `writeReplicas` have that. Rejects with what Redis or the client said, or with a `BackendError`.
 */
export async function runReplicated(
  port: RedisPort,
  { script, key, args, mustStand }: Replicated,
  { writeReplicas, replicaWaitMs }: ResolvedRedisOptions,
): Promise<unknown> {
  const confirmation = { script, key, args, replicaCount: writeReplicas, waitMs: replicaWaitMs }
  const [ran, waited] = await replicaWaitsOf(port).confirmed(confirmation)
  if (ran.status !== 'answered') throw ran.error
  const count = waited.status === 'answered' ? Number(waited.value) : 0
  if (!mustStand(ran.value) || count >= writeReplicas) return ran.value
  const message = `${count} of ${writeReplicas} replicas have the write. It may be lost in a failover.`
  throw new BackendError('unknown', message)
}

/** Writes once more what was written. */
export interface Repetition {
  readonly script: Script
  readonly key: string
  readonly args: readonly string[]
  /** Whether the answer says that what was written stands. */
  readonly stands: (answer: unknown) => boolean
}

/**
 * Resolves once `writeReplicas`, or else one of those that are attached, have a change, with what the script answered to that;
 * with `answer`, at once, when there is none to wait for.
 */
export async function awaitReplicas(
  port: RedisPort,
  { script, key, args, stands }: Repetition,
  answer: unknown,
  attachedCount: unknown,
  { writeReplicas, replicaWaitMs }: ResolvedRedisOptions,
): Promise<unknown> {
  const wanted = writeReplicas > 0 ? writeReplicas : Math.min(1, Number(attachedCount))
  if (wanted === 0) return answer
  const confirmation = { script, key, args, replicaCount: wanted, waitMs: replicaWaitMs }
  const [again, waited] = await replicaWaitsOf(port).confirmed(confirmation)
  const isThere = again.status === 'answered' && stands(again.value)
  if (isThere && waited.status === 'answered' && Number(waited.value) >= wanted) return again.value
  throw new BackendError(
    'unknown',
    isThere
      ? `Fewer than ${wanted} replicas had the change within ${replicaWaitMs} ms.`
      : 'What was changed is another or has moved before a replica had it.',
    { cause: again.status === 'failed' ? again.error : undefined },
  )
}
