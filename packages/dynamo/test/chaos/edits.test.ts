import { expect, test } from 'vitest'

import { storedEdits } from '../fixtures/edits.js'

test(
  'a day of edits that processes store by channel comes back as the log has it, though routes grow and answers are lost',
  { timeout: 600_000 },
  async () => {
    const faults = {
      errorAfterEffect: 0.01,
      resetAfterEffect: 0.01,
      leaveOut: 0.02,
      operations: ['PutItem', 'BatchWriteItem'],
    }
    const stored = await storedEdits(39_244, 2_000, faults)
    console.info(`edits: ${JSON.stringify(stored)}`)
    expect(stored).toMatchObject({ differences: [], channelCount: 51, editCount: 39_244, pagedCount: 11_549 })
    expect(stored.lostAnswerCount).toBeGreaterThan(300)
    expect(stored.failedCount).toBeLessThan(stored.putCount / 100)
    for (const puts of stored.putsByFanout) expect(Object.keys(puts)).toEqual(['1', '2', '4'])
    expect(stored.straddlingCount).toBeGreaterThan(0)
    const places = Object.values(stored.itemsByPlace)
    expect(places).toHaveLength(4)
    expect(Math.min(...places)).toBeGreaterThan(stored.pagedCount / 10)
  },
)
