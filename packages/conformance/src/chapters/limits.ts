import { at, latest } from '@spillway/core'

import { ensure, ensureEqual } from '../ensure.js'
import type { Rule } from '../rule.js'
import { fieldOf, type World } from '../world.js'

/** So many fields a wide change has: more than stores take in one expression or row without care. */
const fieldCount = 64

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
    check: (world) => ensureTaken(world, fieldCount),
  },
]
