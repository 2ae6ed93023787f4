import { runningServices, startServices, stopServices } from '@spillway/testkit'
import { expect, test } from 'vitest'

test('services are known to others while they run, and stop when they are asked', async () => {
  const services = await startServices(['dynamodb'])
  const run = { pid: process.pid, addresses: services.addresses }
  expect(services.addresses.dynamodb).toMatch(/^http:/)
  expect(await runningServices()).toContainEqual(run)
  const stopping = stopServices(process.pid)
  await services.stopAsked
  await services.close()
  expect(await stopping).toEqual([run])
  expect(await runningServices()).not.toContainEqual(run)
})
