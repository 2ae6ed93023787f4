import { expect, test } from 'vitest'

import { writtenByProcesses } from '../fixtures/processes.js'

test(
  'processes that write one key through a route that grows twice keep its total exact, though many answers are lost',
  { timeout: 180_000 },
  async () => {
    const faults = { errorAfterEffect: 0.06, resetAfterEffect: 0.06, delayMsMax: 10, operations: ['UpdateItem'] }
    const { outcomes, views, lostAnswerCount } = await writtenByProcesses([2, 8], 600, faults)
    const acknowledged = outcomes.reduce((total, outcome) => total + outcome.acknowledged, 0)
    const unknown = outcomes.reduce((total, outcome) => total + outcome.unknown, 0)
    expect(lostAnswerCount).toBeGreaterThan(50)
    expect(outcomes.every((outcome) => outcome.acknowledged > 0)).toBe(true)
    expect(views).toBeGreaterThanOrEqual(acknowledged)
    expect(views).toBeLessThanOrEqual(acknowledged + unknown)
  },
)
