import { join } from 'node:path'

import { runChaos, startDynamoChaos } from '@spillway/testkit'
import { expect, test } from 'vitest'

test(
  'what eight processes were told is what is stored, though they are killed and stopped and the engine fails them',
  { timeout: 240_000 },
  async () => {
    const report = await runChaos({
      start: startDynamoChaos,
      script: join(import.meta.dirname, '../fixtures/chaos-process.ts'),
      seed: 1,
      durationMs: 30_000,
    })
    console.info(report.text)
    expect(report.differences).toEqual([])
    expect(report.outcomes.acknowledged).toBeGreaterThan(0)
    expect(report.killedCount).toBeGreaterThan(0)
    expect(report.stoppedCount).toBeGreaterThan(0)
    expect(report.growthCount).toBeGreaterThan(0)
    expect(report.drainCount).toBeGreaterThan(0)
  },
)
