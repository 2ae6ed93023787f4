import { expect, test } from 'vitest'

import { pagePrefix } from './page-records.js'
import { runFunction } from './run-function.js'

const directory = '~spillway~directory'

test('views are counted once while instances are frozen past their lease, killed in their sleep, and the page is spread', async () => {
  const { stored, acknowledged, errors, killedCount, before, after } = await runFunction()
  expect({ errors, killedCount, stored }).toEqual({ errors: [], killedCount: 1, stored: acknowledged })
  expect(acknowledged).toBeGreaterThanOrEqual(80)
  expect(before.map(({ fanout }) => fanout)).toEqual([1, 1, 1, 1])

  // All slept for longer than a lease; all but one slept through the growth, too. Each finds out before it writes.
  expect(after.map(({ fanout }) => fanout)).toEqual([4, 4, 4, 4])
  for (const { requests } of after) {
    const fetched = requests.indexOf(
      `GetItemCommand ${directory} answered`,
      requests.indexOf(`GetItemCommand ${directory} sent`),
    )
    expect(fetched).toBeGreaterThan(0)
    expect(requests.findIndex((request) => request.includes(pagePrefix))).toBeGreaterThan(fetched)
  }
}, 60_000)
