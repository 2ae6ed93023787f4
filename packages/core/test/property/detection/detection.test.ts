import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import { seededRandom } from '../../../src/chance/seeded-random.js'
import { Detection } from '../../../src/detection/detection.js'

const options = {
  bytesMax: 8_192,
  halfLifeMs: 250,
  tickMs: 50,
  hotWritesPerSecond: 100,
  hotReadsPerSecond: 300,
  coolMs: 500,
}
const keyCount = 40

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('writes' as const),
      key: fc.nat(keyCount - 1),
      n: fc.integer({ min: 1, max: 60 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('reads' as const),
      key: fc.nat(keyCount - 1),
      n: fc.integer({ min: 1, max: 60 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('requests' as const),
      key: fc.nat(keyCount - 1),
      n: fc.integer({ min: 1, max: 20 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('throttle' as const),
      key: fc.nat(keyCount - 1),
      n: fc.integer({ min: 0, max: 1 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('tick' as const),
      key: fc.constant(0),
      n: fc.integer({ min: 1, max: 10 }),
    }),
  },
)

test('the changes that ticks report are exactly what isHot, heat and hotKeys say', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 500 }), fc.integer(), (steps, seed) => {
      const detection = new Detection(options, seededRandom(seed), 0)
      const hot = { write: new Set<string>(), read: new Set<string>() }
      let nowMs = 0
      for (const { kind, key, n } of steps) {
        if (kind === 'tick') nowMs += n * options.tickMs
        const changes = kind === 'tick' ? detection.tick(nowMs) : count(detection, kind, `key ${key}`, n)
        for (const change of changes) {
          expect(hot[change.side].has(change.key)).toBe(change.state === 'cold')
          hot[change.side][change.state === 'hot' ? 'add' : 'delete'](change.key)
        }
        const listed = detection.hotKeys()
        expect(new Set(listed.map((heat) => heat.key))).toEqual(new Set([...hot.write, ...hot.read]))
        expect(listed.every(({ share }) => share >= 0 && share <= 1)).toBe(true)
        const names = Array.from({ length: keyCount }, (_, i) => `key ${i}`)
        expect(names.filter((name) => detection.isHot(name))).toEqual(names.filter((name) => hot.write.has(name)))
      }
    }),
  )
})

function count(detection: Detection, kind: 'writes' | 'reads' | 'requests' | 'throttle', key: string, n: number): [] {
  if (kind === 'writes') detection.countWrites(key, n)
  else if (kind === 'reads') detection.countReads(key, n)
  else if (kind === 'requests') detection.countWriteRequests(key, 1, n)
  else detection.countThrottle(key, 'write', n === 1)
  return []
}
