import { startRedisSentinel, type RedisSentinel } from '@spillway/testkit'
import { afterEach, expect, test } from 'vitest'

let group: RedisSentinel | undefined

afterEach(async () => {
  await group?.close()
  group = undefined
})

test('one sentinel makes the replica the primary when the primary is killed, with what it had replicated', async () => {
  group = await startRedisSentinel()
  const [first, second] = group.servers
  expect(group.addresses).toHaveLength(1)
  expect(await group.primary()).toBe(first)
  await first.call('SET', 'kept', 'yes')
  expect(await first.call('WAIT', 1, 5_000)).toBe(1)
  expect(await group.killPrimary()).toBe(second)
  await expect(first.call('PING')).rejects.toThrow('ECONNREFUSED')
  expect(await second.call('GET', 'kept')).toBe('yes')
  expect(await second.call('SET', 'kept', 'still')).toBe('OK')
})

test('three sentinels agree on the new primary', async () => {
  group = await startRedisSentinel({ sentinelCount: 3 })
  expect(group.addresses).toHaveLength(3)
  expect(await group.killPrimary()).toBe(group.servers[1])
})

test('a number of sentinels that cannot be is refused before anything starts', async () => {
  await expect(startRedisSentinel({ sentinelCount: 0 })).rejects.toThrow(
    'sentinelCount must be a whole number from 1 to 9, but was 0',
  )
})
