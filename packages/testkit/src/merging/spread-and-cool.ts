import { type Backend, type Client, type Collection, createClient, max, type Records, sum, union } from '@spillway/core'

import { waitUntil } from '../time/wait.js'

const routing = { refreshMs: 200, leaseMs: 700, retryHorizonMs: 60_000, sealRetentionMs: 120_000 } as const
const rules = { n: sum(), ids: union(), top: max() }
const key = 'hot'

/** An engine on a busy machine may take long. */
const patienceMs = 90_000

/** A union that grew on would make each write dearer, until the key was hot for good; and so would writes without a pause. */
const idCount = 64
const roundEveryMs = 100

/** What a key held and cost, while it was spread and after it had cooled. */
export interface SpreadAndCooled {
  /** What was acknowledged. */
  readonly expected: {
    readonly n: number
    readonly ids: readonly string[]
    readonly top: number
    readonly sorts: readonly string[]
  }
  /** What a client read that took no part, after the key had been merged back. */
  readonly read: SpreadAndCooled['expected']
  /** The phases that the key's route went through since it was spread. */
  readonly phases: readonly string[]
  /** How many shards the reads of records went to: spread, and cooled. */
  readonly shardCounts: readonly [spread: number | undefined, cooled: number | undefined]
}

interface Member {
  readonly client: Client
  readonly records: Records<typeof rules>
  readonly items: Collection<{ n: number }>
}

/**
 * Spreads a key over four shards, of which every one is written by records, by items or by both; then lets it cool until other
 * clients, who do not know why it was hot, have merged it back, while it is written on and on.
 */
export async function spreadAndCool(
  open: () => Promise<Backend> | Backend,
  kinds: { readonly records: boolean; readonly items: boolean },
): Promise<SpreadAndCooled> {
  const member = async (fanout?: number): Promise<Member> => {
    const hot = fanout === undefined ? [] : [{ match: key, fanout }]
    const client = await createClient({ backend: await open(), routing, sharding: { rules: hot, coolMs: 1_000 } })
    return { client, records: client.records('record', rules), items: client.collection<{ n: number }>('items') }
  }
  const ids = new Set<string>()
  let top = -1
  let n = 0
  const sorts: string[] = []
  const write = async ({ records, items }: Member) => {
    const number = n + sorts.length
    if (kinds.records) {
      const id = `id-${n % idCount}`
      await records.write(key, { n: 1, ids: [id], top: number })
      ids.add(id)
      top = number
      n += 1
    }
    if (kinds.items) {
      const sort = `sort-${String(number).padStart(6, '0')}`
      await items.put(key, sort, { n: number })
      sorts.push(sort)
    }
  }
  const declaring = await member(4)
  const declaredPhases = phasesOf(declaring.client)
  await waitUntil('the key is spread', () => declaredPhases.at(-1) === 'active', patienceMs)
  const first = await member()
  const phases = phasesOf(first.client)
  const others = await Promise.all(Array.from({ length: 7 }, () => member()))
  const writers = [first, ...others]
  for (const writer of writers) for (let i = 0; i < 5; i++) await write(writer)
  const spread = kinds.records ? await shardsRead(declaring) : undefined
  await declaring.client.close()
  await waitUntil(
    'the key is cold again',
    async () => {
      for (const writer of writers) await write(writer)
      return phases.at(-1) === 'cold'
    },
    patienceMs,
    roundEveryMs,
  )
  await Promise.all(others.map(({ client }) => client.close()))
  const cooled = kinds.records ? await shardsRead(first) : undefined
  await first.client.close()
  const reader = await member()
  const nothing = { n: 0, ids: new Set<string>(), top: undefined }
  const read = kinds.records ? await reader.records.read(key) : nothing
  const seenSorts: string[] = []
  if (kinds.items) for await (const { sort } of reader.items.iterate(key)) seenSorts.push(sort)
  await reader.client.close()
  return {
    expected: { n, ids: [...ids].toSorted(), top, sorts },
    read: { n: read.n, ids: [...read.ids].toSorted(), top: read.top ?? -1, sorts: seenSorts },
    phases,
    shardCounts: [spread, cooled],
  }
}

function phasesOf(client: Client): readonly string[] {
  const phases: string[] = []
  client.on('route-changed', (route) => route.key === key && phases.push(route.phase))
  return phases
}

async function shardsRead({ client, records }: Member): Promise<number> {
  let count = 0
  const end = client.on('gather', ({ shardCount }) => (count = shardCount))
  await records.read(key)
  end()
  return count
}
