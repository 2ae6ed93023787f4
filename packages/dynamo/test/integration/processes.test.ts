import { expect, test } from 'vitest'

import { writtenByProcesses } from '../fixtures/processes.js'

test('processes that write one key through a growing route keep its total exact, though answers are lost', async () => {
  const faults = { errorAfterEffect: 0.04, resetAfterEffect: 0.04, operations: ['UpdateItem'] }
  const { outcomes, views, lostAnswerCount } = await writtenByProcesses([2, 4], 120, faults)
  const acknowledged = outcomes.reduce((total, outcome) => total + outcome.acknowledged, 0)
  const unknown = outcomes.reduce((total, outcome) => total + outcome.unknown, 0)
  expect(outcomes.map((outcome) => outcome.acknowledged > 0)).toEqual([true, true, true])
  expect(views).toBeGreaterThanOrEqual(acknowledged)
  expect(views).toBeLessThanOrEqual(acknowledged + unknown)
  expect(unknown).toBeLessThan(acknowledged / 10)
  expect(lostAnswerCount).toBeGreaterThan(10)
})
