import { setTimeout as sleep } from 'node:timers/promises'

import type { StrategyClient } from '../strategies/strategy.js'
import type { UserTotals } from '../record.js'
import { checkTotals } from './check-totals.js'
import { totalsOf, type KeyLedger } from './expected-totals.js'

/** A key whose record differs from the log. */
export interface Difference {
  /** The key. */
  readonly key: string
  /** The totals of all its entries that were begun. */
  readonly expected: UserTotals
  /** What the strategy's own read says. */
  readonly actual: UserTotals
  /** Whether callers were told of failures that explain it. */
  readonly isTold: boolean
}

/** How all records compare with the log. */
export interface CheckResult {
  /** How many keys have entries that were begun. */
  readonly keyCount: number
  /** How many of them were read back; fewer only when stopped. */
  readonly checkedCount: number
  /** Edits that the records add up to. */
  readonly editsStored: number
  /** Edits that were begun. */
  readonly editsBegun: number
  /** Keys that differ, in the order of the log. */
  readonly differences: readonly Difference[]
}

const readsAtOnce = 16 // about what eight partitions of 3,000 read units can answer when a read takes ten
const attemptsMax = 50
const pauseMs = 100

/** Reads every record back through the strategy's own clients and compares it with the log. Rejects when a record cannot be read at all. */
export async function readBack(
  ledgers: ReadonlyMap<string, KeyLedger>,
  clients: readonly StrategyClient[],
  signal: AbortSignal,
  onChecked: (count: number) => void,
): Promise<CheckResult> {
  const differences: Difference[] = []
  let [checkedCount, editsStored, editsBegun] = [0, 0, 0]
  const rest = ledgers.entries()
  const reader = async (_unused: unknown, i: number) => {
    for (const [key, ledger] of rest) {
      if (signal.aborted) return
      const actual = await patientRead(clients[i % clients.length] as StrategyClient, key)
      const expected = totalsOf([...ledger.done, ...ledger.rejected, ...ledger.unknown])
      const verdict = checkTotals(ledger, actual)
      if (verdict !== 'as-logged') differences.push({ key, expected, actual, isTold: verdict === 'as-told' })
      checkedCount += 1
      editsStored += actual.edits
      editsBegun += expected.edits
      onChecked(checkedCount)
    }
  }
  await Promise.all(Array.from({ length: readsAtOnce }, reader))
  return { keyCount: ledgers.size, checkedCount, editsStored, editsBegun, differences }
}

/** Reads until it succeeds: the check is not what is measured. */
async function patientRead(client: StrategyClient, key: string): Promise<UserTotals> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await client.read(key)
    } catch (error) {
      if (attempt === attemptsMax)
        throw new Error(`The record of key ${JSON.stringify(key)} could not be read back in ${attemptsMax} attempts.`, {
          cause: error,
        })
      await sleep(pauseMs)
    }
  }
}
