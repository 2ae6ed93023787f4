import { expect, test } from 'vitest'

import { seededRandom } from '../../../src/chance/seeded-random.js'
import { Detection, type HeatChange, type ResolvedDetectionOptions } from '../../../src/detection/detection.js'

const defaults: ResolvedDetectionOptions = {
  bytesMax: 65_536,
  halfLifeMs: 250,
  tickMs: 50,
  hotWritesPerSecond: 400,
  hotReadsPerSecond: 1_200,
  coolMs: 1_000,
}

/** A detection whose time is fed in steps of a millisecond. */
class Feed {
  readonly detection: Detection
  readonly changes: (HeatChange & { atMs: number })[] = []
  nowMs = 0
  readonly #tickMs: number

  constructor(options: Partial<ResolvedDetectionOptions> = {}, seed = 1) {
    const resolved = { ...defaults, ...options }
    this.#tickMs = resolved.tickMs
    this.detection = new Detection(resolved, seededRandom(seed), 0)
  }

  /** Calls `each` every `1,000 / perSecond` ms for `durationMs`, and the ticks on the way. */
  run(durationMs: number, sources: readonly { perSecond: number; each: (detection: Detection) => void }[] = []): void {
    const startMs = this.nowMs
    const done = sources.map(() => 0)
    while (this.nowMs < startMs + durationMs) {
      this.nowMs += 1
      for (const [i, { perSecond, each }] of sources.entries()) {
        while (done[i]! < ((this.nowMs - startMs) * perSecond) / 1_000) {
          each(this.detection)
          done[i]! += 1
        }
      }
      if (this.nowMs % this.#tickMs !== 0) continue
      for (const change of this.detection.tick(this.nowMs)) this.changes.push({ ...change, atMs: this.nowMs })
    }
  }
}

const writes = (key: string, perSecond: number) => ({ perSecond, each: (d: Detection) => d.countWrites(key, 1) })
const reads = (key: string, perSecond: number) => ({ perSecond, each: (d: Detection) => d.countReads(key, 1) })
const requests = (key: string, perSecond: number, units: number) => ({
  perSecond,
  each: (d: Detection) => {
    d.countWrites(key, 1)
    d.countWriteRequests(key, 1, units)
  },
})

test('a surge of 2.5 times the threshold is noticed within 250 ms, whenever between two ticks it starts', () => {
  for (let offsetMs = 0; offsetMs < 50; offsetMs++) {
    const feed = new Feed()
    const background = Array.from({ length: 200 }, (_, i) => writes(`key ${i}`, 20))
    feed.run(500 + offsetMs, background)
    feed.run(400, [writes('surging', 1_000), ...background])
    const noticed = feed.changes.find(({ key }) => key === 'surging')
    expect(noticed).toMatchObject({ side: 'write', state: 'hot' })
    expect(noticed!.atMs - 500 - offsetMs).toBeLessThanOrEqual(250)
  }
})

test('a key becomes hot once, is hot while its rate lasts, and cold only coolMs after it has ended', () => {
  const feed = new Feed()
  feed.run(3_000, [writes('a', 1_000)])
  expect(feed.detection.isHot('a')).toBe(true)
  feed.run(1_000)
  expect(feed.detection.isHot('a')).toBe(true)
  feed.run(1_000)
  expect(feed.detection.isHot('a')).toBe(false)
  expect(feed.changes.map(({ key, side, state }) => [key, side, state])).toEqual([
    ['a', 'write', 'hot'],
    ['a', 'write', 'cold'],
  ])
})

test('a rate between half the threshold and the threshold makes no key hot and lets no hot key cool', () => {
  const feed = new Feed()
  feed.run(3_000, [writes('never', 300), writes('once', 600)])
  feed.run(5_000, [writes('never', 300), writes('once', 300)])
  expect(feed.detection.isHot('never')).toBe(false)
  expect(feed.detection.isHot('once')).toBe(true)
})

test('writes and reads of a key have thresholds and states of their own', () => {
  const feed = new Feed()
  feed.run(3_000, [writes('a', 500), reads('a', 1_000), writes('b', 100), reads('b', 1_500)])
  expect(feed.detection.isHot('a')).toBe(true)
  expect(feed.detection.isHot('b')).toBe(false)
  expect(feed.detection.heat('a')).toMatchObject({ isWriteHot: true, isReadHot: false })
  expect(feed.detection.heat('b')).toMatchObject({ isWriteHot: false, isReadHot: true })
  expect(
    feed.detection
      .hotKeys()
      .map(({ key }) => key)
      .toSorted(),
  ).toEqual(['a', 'b'])
})

test('a few expensive writes make a key hot by the units they consume', () => {
  const feed = new Feed()
  feed.run(3_000, [requests('dear', 50, 10), requests('cheap', 50, 1)])
  expect(feed.detection.isHot('dear')).toBe(true)
  expect(feed.detection.isHot('cheap')).toBe(false)
  const heat = feed.detection.heat('dear')!
  expect(heat.logicalWritesPerSecond / 50).toBeCloseTo(1, 1)
  expect(heat.physicalWritesPerSecond / 50).toBeCloseTo(1, 1)
  expect(heat.writeUnitsPerSecond / 500).toBeCloseTo(1, 1)
})

test('the logical rate of a collapsed key is kept apart from its requests and units', () => {
  const feed = new Feed()
  const window = {
    perSecond: 10,
    each: (d: Detection) => {
      d.countWrites('a', 200)
      d.countWriteRequests('a', 1, 3)
    },
  }
  const page = { perSecond: 20, each: (d: Detection) => d.countReadRequests('a', 2, 8) }
  feed.run(4_000, [window, page, reads('a', 100)])
  const heat = feed.detection.heat('a')!
  const rates = [
    [heat.logicalWritesPerSecond, 2_000],
    [heat.physicalWritesPerSecond, 10],
    [heat.writeUnitsPerSecond, 30],
    [heat.logicalReadsPerSecond, 100],
    [heat.physicalReadsPerSecond, 40],
    [heat.readUnitsPerSecond, 160],
  ] as const
  // The last window may be as old as the next one is near.
  for (const [rate, expected] of rates) expect(Math.abs(rate / expected - 1)).toBeLessThan(0.15)
})

test('two half-hot keys that share a throttled partition both become hot', () => {
  const feed = new Feed()
  const load = [writes('left', 250), writes('right', 250)]
  feed.run(2_000, load)
  expect(feed.changes).toEqual([])
  for (const key of ['left', 'right']) feed.detection.countThrottle(key, 'write', true)
  feed.run(100, load)
  expect(feed.detection.isHot('left')).toBe(true)
  expect(feed.detection.isHot('right')).toBe(true)
  expect(feed.detection.heat('left')).toMatchObject({ isWriteThrottled: true, isReadThrottled: false })
  expect(feed.detection.heat('left')!.throttlesPerSecond).toBeGreaterThan(0)
})

test('a throttled key with next to no traffic of its own stays cold, also as the only key of an idle process', () => {
  const feed = new Feed()
  const load = [writes('guilty', 2_000), writes('victim', 5)]
  const throttled = { perSecond: 20, each: (d: Detection) => d.countThrottle('victim', 'write', true) }
  feed.run(3_000, [...load, throttled])
  expect(feed.detection.isHot('guilty')).toBe(true)
  expect(feed.detection.isHot('victim')).toBe(false)
  const idle = new Feed()
  idle.run(3_000, [writes('victim', 5), throttled])
  expect(idle.detection.isHot('victim')).toBe(false)
})

test('a key with a tenth of the process’s traffic becomes hot by a throttle, since other processes may add to it', () => {
  const feed = new Feed()
  let others = 0
  const load = [
    writes('shared', 20),
    { perSecond: 100, each: (d: Detection) => d.countWrites(`key ${others++ % 100}`, 1) },
  ]
  feed.run(2_000, load)
  feed.detection.countThrottle('shared', 'write', true)
  feed.run(100, load)
  expect(feed.detection.isHot('shared')).toBe(true)
})

test('a throttle of the whole table makes no key hot', () => {
  const feed = new Feed()
  const throttled = { perSecond: 50, each: (d: Detection) => d.countThrottle('a', 'write', false) }
  feed.run(3_000, [writes('a', 300), throttled])
  expect(feed.detection.isHot('a')).toBe(false)
  expect(feed.detection.heat('a')!.throttlesPerSecond).toBeGreaterThan(25)
  expect(feed.detection.heat('a')!.isWriteThrottled).toBe(false)
})

test('a throttle is forgotten with time', () => {
  const feed = new Feed()
  feed.run(2_000, [writes('a', 150)])
  feed.detection.countThrottle('a', 'write', true)
  feed.run(100, [writes('a', 150)])
  expect(feed.detection.isHot('a')).toBe(true)
  feed.run(3_000, [writes('a', 150)])
  expect(feed.detection.isHot('a')).toBe(false)
  expect(feed.detection.heat('a')!.isWriteThrottled).toBe(false)
})

test('hot keys are listed hottest first with their rates and their share of all logical operations', () => {
  const feed = new Feed()
  feed.run(3_000, [writes('a', 500), writes('b', 1_000), reads('c', 1_800), writes('d', 100)])
  const hot = feed.detection.hotKeys()
  expect(hot.map(({ key }) => key)).toEqual(['b', 'c', 'a'])
  for (const [i, perSecond] of [1_000, 1_800, 500].entries()) {
    expect(Math.abs(hot[i]!.share / (perSecond / 3_400) - 1)).toBeLessThan(0.02)
  }
})

test('nothing is known of a key that was never counted', () => {
  const feed = new Feed()
  feed.run(100, [writes('a', 100)])
  expect(feed.detection.heat('b')).toBeUndefined()
  expect(feed.detection.heat('a')).toMatchObject({ isWriteHot: false, physicalWritesPerSecond: 0 })
})

test('when more keys are hot than can be tracked, the hottest stay hot and each loss is reported', () => {
  const feed = new Feed({ bytesMax: 16_384 })
  const many = Array.from({ length: 40 }, (_, i) => writes(`key ${i}`, 500))
  feed.run(1_000, many)
  const before = feed.detection.hotKeys().length
  expect(before).toBeGreaterThan(5)
  expect(before).toBeLessThan(40)
  const hotter = Array.from({ length: 5 }, (_, i) => writes(`hotter ${i}`, 5_000))
  feed.run(1_000, [...many, ...hotter])
  const hot = feed.detection.hotKeys().map(({ key }) => key)
  expect(hot.slice(0, 5).toSorted()).toEqual(hotter.map((_, i) => `hotter ${i}`))
  const states = new Map(feed.changes.map(({ key, state }) => [key, state]))
  const reported = [...states].filter(([, state]) => state === 'hot').map(([key]) => key)
  expect(reported.toSorted()).toEqual(hot.toSorted())
})

test('a flood of a million keys, throttled or not, makes none of them hot and hides no hot one', () => {
  const feed = new Feed()
  let seen = 0
  const flood = {
    perSecond: 100_000,
    each: (d: Detection) => {
      const key = `flood ${seen++}`
      d.countWrites(key, 1)
      if (seen % 10 === 0) d.countThrottle(key, 'write', true)
    },
  }
  feed.run(3_000, [flood, writes('hot', 1_000)])
  expect(feed.detection.hotKeys().map(({ key }) => key)).toEqual(['hot'])
  expect(feed.changes.map(({ key }) => key)).toEqual(['hot'])
})
