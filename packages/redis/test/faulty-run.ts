import { waitUntil, type ProxyFaults } from '@spillway/testkit'

import type { Opened } from './clients.js'
import { added, increment, openMember, totalOf, type Tally } from './fleet.js'

/** What stands between clients and Redis. */
export interface Between {
  /** How many connections were cut or half-closed so far. */
  readonly faultCount: number
  /** What may happen from now on. */
  strike(faults: ProxyFaults): void
}

/** The engine does what it is asked, and says so to nobody. */
export const cutBeforeAnswer: ProxyFaults = { cutBeforeAnswer: 0.06 }

/** A bad day. */
export const everything: ProxyFaults = {
  cutBeforeRequest: 0.03,
  cutBeforeAnswer: 0.03,
  halfClose: 0.005,
  delay: 0.02,
  delayMs: 20,
}

/** So many changes are made in one run. */
export const changeCount = 901

/** Adds to one key of so many shards through faults, from one caller in each of three clients, so that no writes are merged. */
export async function addThrough(
  between: Between,
  open: () => Promise<Opened>,
  faults: ProxyFaults,
  { dedupe = true, fanout }: { readonly dedupe?: boolean; readonly fanout: number },
): Promise<{ readonly tally: Tally; readonly stored: number; readonly faultCount: number }> {
  const rules = fanout > 1 ? [{ match: 'hot', fanout }] : []
  const members = await Promise.all(
    [0, 1, 2].map(async () => openMember(await open(), { dedupe, sharding: { rules } })),
  )
  const [first, ...others] = members as [(typeof members)[0], ...typeof members]
  let fanoutNow = 1
  first.client.on('route-changed', ({ write }) => (fanoutNow = write))
  const begun = await increment(first, 'hot', 1)
  await waitUntil('the key is spread', () => fanoutNow === fanout)
  const faultsBefore = between.faultCount
  between.strike(faults)
  const tallies = await Promise.all([first, ...others].map((member) => increment(member, 'hot', 300, 1)))
  between.strike({})
  const stored = await totalOf(first, 'hot')
  await Promise.all(members.map((member) => member.close()))
  return { tally: added([begun, ...tallies]), stored, faultCount: between.faultCount - faultsBefore }
}
