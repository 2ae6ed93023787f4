import { at, latest, max, min } from '@spillway/core'

import { ensure, ensureEqual } from '../ensure.js'
import type { Rule } from '../rule.js'
import { fieldOf, type World } from '../world.js'

/** So many fields a wide change has, at most: more than stores take in one expression or row without care. */
const fieldCount = 64

/** The most fields of a record. */
const fieldsMax = 256

/** More than a number takes, with its stamp and the name of its field. */
const fieldBytes = 64

/** Writes a change of `changeBytesMax` bytes, spread evenly over so many fields, and ensures that it is there to the letter. */
async function ensureTaken(world: World, count: number): Promise<void> {
  const { changeBytesMax } = world.backend.capabilities
  const key = world.key(`${count}-fields`)
  const fields = Array.from({ length: count }, (_, i) => fieldOf(`field-${i}`, latest()))
  const textsOf = (length: number) => fields.map((_, i) => String.fromCodePoint(97 + (i % 26)).repeat(length))
  const bytesOf = (text: string, i: number) => {
    const { name, rule, state } = world.state([fields[i] as (typeof fields)[number], at(text, 1_000)])
    return Buffer.byteLength(name) + rule.bytes(state)
  }
  const overhead = textsOf(0).reduce((sum, text, i) => sum + bytesOf(text, i), 0)
  const texts = textsOf(Math.floor((changeBytesMax - overhead) / count))
  const status = await world.write(
    key,
    fields.map((field, i) => [field, at(texts[i], 1_000)] as const),
    world.stamp('w', 1),
  )
  ensureEqual(status, 'done', `the answer to a change of ${changeBytesMax} bytes in ${count} fields`)
  const isThere = (await world.read(key, fields)).every((text, i) => text === texts[i])
  ensure(isThere, `Expected a change of ${changeBytesMax} bytes in ${count} fields to come back as it was.`)
}

/** Writes as many conditional fields at once as a record may have, twice, and ensures that the later numbers are there. */
async function ensureTogether(world: World): Promise<void> {
  const { changeBytesMax, conditionalFieldsMax = fieldsMax } = world.backend.capabilities
  const count = Math.min(conditionalFieldsMax, fieldsMax, Math.floor(changeBytesMax / fieldBytes))
  const fields = Array.from({ length: count }, (_, i) => fieldOf(`field-${i}`, [max(), latest(), min()][i % 3]))
  const key = world.key()
  for (const n of [1, 2]) {
    const changes = fields.map((field, i) => [field, [n, at(n, n), 3 - n][i % 3]] as const)
    ensureEqual(
      await world.write(key, changes),
      'done',
      `the answer to a change of ${count} max, min and latest fields`,
    )
  }
  ensureEqual(
    await world.read(key, fields),
    fields.map((_, i) => (i % 3 === 2 ? 1 : 2)),
    `${count} max, min and latest fields`,
  )
}

/** What a backend declares, it takes. Keys, integers and batches at their limits stand in the chapters about them. */
export const limitRules: readonly Rule[] = [
  {
    id: 'limits-change',
    claim: 'A change of `changeBytesMax` bytes in one field is taken.',
    check: (world) => ensureTaken(world, 1),
  },
  {
    id: 'limits-fields',
    claim: 'A change of `changeBytesMax` bytes in many fields is taken.',
    check: (world) =>
      ensureTaken(world, Math.min(fieldCount, world.backend.capabilities.conditionalFieldsMax ?? fieldCount)),
  },
  {
    id: 'limits-conditional',
    claim: 'A change of `conditionalFieldsMax` max, min and latest fields is taken.',
    check: ensureTogether,
  },
]
