import type { Absorb, Backend, Call, Field, LatestState, RecordStore, ShardAnswer } from '@spillway/core'

import { mutant, nameOf, tick, withRecords, type Mutant } from './mutant.js'

/** Merges contents without recording them. */
async function mergeOnly(records: RecordStore, { target, fields, contents }: Absorb, call: Call): Promise<void> {
  const changes = fields
    .map((field, i) => ({ ...field, state: contents.states[i] }))
    .filter(({ state }) => state !== undefined)
  if (changes.length > 0) await records.write({ shard: target, changes, stamp: undefined }, call)
}

/** The generation of the source that is recorded in the target; undefined when there is none. */
async function recorded(records: RecordStore, { target, source }: Absorb, call: Call): Promise<number | undefined> {
  const [answer] = await records.read({ shards: [target], fields: [], consistency: 'strong' }, call)
  const absorbed = answer?.status === 'read' ? (answer.absorbed ?? []) : []
  return absorbed.find(({ index }) => index === source.index)?.generation
}

/** Changes every absorption on its way; undefined drops it. */
function withAbsorbs(change: (absorb: Absorb) => Absorb | undefined) {
  return withRecords((records) => ({
    absorb(absorb, call) {
      const changed = change(absorb)
      return changed === undefined ? Promise.resolve() : records.absorb(changed, call)
    },
  }))
}

/** What a sealed shard was made to take in is added when it is read. */
function takesInMore(backend: Backend): Backend {
  const extras = new Map<string, Absorb>()
  return withRecords((records) => ({
    absorb: (absorb, call) => records.absorb(absorb, call).catch(() => void extras.set(nameOf(absorb.target), absorb)),
    async read(read, call) {
      const answers = await records.read(read, call)
      return answers.map((answer, i): ShardAnswer => {
        const extra = extras.get(nameOf(read.shards[i] as Absorb['target']))
        if (answer.status !== 'read' || extra === undefined) return answer
        const states = answer.states.map((state, at) => read.fields[at]?.rule.merge(state, extra.contents.states[at]))
        return { ...answer, states }
      })
    },
  }))(backend)
}

/** The same generation a second time is taken for a correction. */
function replacesContents(backend: Backend): Backend {
  const before = new Map<string, Absorb>()
  return withRecords((records) => ({
    async absorb(absorb, call) {
      const name = `${nameOf(absorb.target)} ${nameOf(absorb.source)}`
      const known = before.get(name)
      before.set(name, absorb)
      if (known === undefined) return records.absorb(absorb, call)
      const total = ({ fields, contents }: Absorb) => Number(contents.states[fields.findIndex(isTotal)] ?? 0)
      const field = absorb.fields.find(isTotal)
      const state = total(absorb) - total(known)
      if (field === undefined || state === 0) return
      await records.write({ shard: absorb.target, changes: [{ ...field, state }], stamp: undefined }, call)
    },
  }))(backend)
}

function isTotal({ name }: Field): boolean {
  return name === 'total'
}

export const absorbingMutants: readonly Mutant[] = [
  mutant(
    'absorb-once',
    'contents are merged every time',
    withRecords((records) => ({
      async absorb(absorb, call) {
        if ((await recorded(records, absorb, call)) === absorb.source.generation.number)
          return mergeOnly(records, absorb, call)
        return records.absorb(absorb, call)
      },
    })),
  ),
  mutant(
    'absorb-kinds',
    'an absorbed latest value always wins',
    withAbsorbs((absorb) => {
      const states = absorb.contents.states.map((state, i) => {
        if (absorb.fields[i]?.rule.kind !== 'latest') return state
        const { json, stamp } = state as LatestState
        return { json, stamp: { ...stamp, timeMs: 9e12 } }
      })
      return { ...absorb, contents: { ...absorb.contents, states } }
    }),
  ),
  mutant(
    'absorb-empty',
    'a shard that holds nothing is not recorded',
    withAbsorbs((absorb) => (absorb.contents.states.some((state) => state !== undefined) ? absorb : undefined)),
  ),
  mutant(
    'absorb-older',
    'contents of an older generation are merged as well',
    withRecords((records) => ({
      async absorb(absorb, call) {
        const generation = await recorded(records, absorb, call)
        if (generation !== undefined && generation > absorb.source.generation.number)
          return mergeOnly(records, absorb, call)
        return records.absorb(absorb, call)
      },
    })),
  ),
  mutant(
    'absorb-newer',
    'an index is absorbed once, whatever its generation',
    withRecords((records) => ({
      async absorb(absorb, call) {
        if ((await recorded(records, absorb, call)) === undefined) await records.absorb(absorb, call)
      },
    })),
  ),
  mutant(
    'absorb-nested',
    'records of earlier absorptions stay behind',
    withAbsorbs((absorb) => ({ ...absorb, contents: { ...absorb.contents, absorbed: undefined } })),
    ['absorb-again'],
  ),
  mutant(
    'absorb-open',
    'a shard forgets its writers when it absorbs another',
    withRecords((records) => {
      const epochs = new Map<string, number>()
      return {
        write(write, call) {
          if (write.stamp === undefined) return records.write(write, call)
          const writer = `${write.stamp.writer}@${epochs.get(nameOf(write.shard)) ?? 0}`
          return records.write({ ...write, stamp: { ...write.stamp, writer } }, call)
        },
        absorb(absorb, call) {
          const name = nameOf(absorb.target)
          epochs.set(name, (epochs.get(name) ?? 0) + 1)
          return records.absorb(absorb, call)
        },
      }
    }),
  ),
  mutant('absorb-frozen', 'a sealed shard takes in more', takesInMore),
  mutant(
    'absorb-beside-writes',
    'what is written while contents are taken in is overwritten',
    withRecords((records) => {
      const busy = new Set<string>()
      return {
        write: (write, call) =>
          busy.has(nameOf(write.shard)) ? Promise.resolve({ status: 'done' }) : records.write(write, call),
        async absorb(absorb, call) {
          busy.add(nameOf(absorb.target))
          await tick()
          busy.delete(nameOf(absorb.target))
          await records.absorb(absorb, call)
        },
      }
    }),
  ),
  mutant('absorb-cleared', 'contents that come again take the place of those that came before', replacesContents),
  mutant(
    'absorb-again',
    'a seal tells of one absorbed shard alone',
    withRecords((records) => ({
      async seal(shard, fields, call) {
        const contents = await records.seal(shard, fields, call)
        return { ...contents, absorbed: contents.absorbed?.slice(0, 1) }
      },
    })),
  ),
  mutant(
    'absorb-race',
    'the record is looked at first and written later',
    withRecords((records) => ({
      async absorb(absorb, call) {
        const generation = await recorded(records, absorb, call)
        if (generation !== undefined && generation >= absorb.source.generation.number) return
        await tick()
        await mergeOnly(records, absorb, call)
        const states = absorb.fields.map(() => undefined)
        await records.absorb({ ...absorb, contents: { ...absorb.contents, states } }, call)
      },
    })),
  ),
]
