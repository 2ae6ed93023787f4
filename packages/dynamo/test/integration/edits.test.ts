import { expect, test } from 'vitest'

import { storedEdits } from '../fixtures/edits.js'

test('edits that processes store by channel come back as the log has them, though the hottest channels are spread meanwhile', async () => {
  const stored = await storedEdits(2_000, 300, {})
  console.info(`edits: ${JSON.stringify(stored)}`)
  expect(stored).toMatchObject({ differences: [], channelCount: 34, editCount: 2_000, pagedCount: 854, failedCount: 0 })
  expect(stored.readCount).toBeGreaterThan(1)
  for (const puts of stored.putsByFanout) expect(Object.keys(puts)).toEqual(['1', '2', '4'])
  expect(stored.straddlingCount).toBeGreaterThan(0)
  expect(Object.keys(stored.flushesByShard)).toEqual(['0', '1', '2', '3'])
  const places = Object.values(stored.itemsByPlace)
  expect(places).toHaveLength(4)
  expect(Math.min(...places)).toBeGreaterThan(stored.pagedCount / 10)
})
