import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { runningServices, startServices, stopServices, variables, waitUntil } from '@spillway/testkit'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

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

describe('the command', () => {
  const root = join(import.meta.dirname, '../../../..')
  const unnamed = Object.fromEntries(Object.values(variables).map((name) => [name, '']))
  let folder: string

  // Runs are found in the folder for temporary files: in one of its own, a test sees none but its own.
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'spillway-'))
  })
  afterEach(async () => {
    await services('stop', 'all')
    rmSync(folder, { recursive: true, force: true })
  })

  interface Said {
    readonly out: string
    readonly err: string
    readonly code: number | string
  }

  function services(...args: readonly string[]): Promise<Said> {
    return servicesWith({}, ...args)
  }

  function servicesWith(env: NodeJS.ProcessEnv, ...args: readonly string[]): Promise<Said> {
    const options = { cwd: root, env: { ...process.env, ...unnamed, TMPDIR: folder, ...env } }
    return new Promise((resolve) => {
      const script = join(root, 'packages/testkit/services.ts')
      execFile(process.execPath, ['--import', 'tsx', script, ...args], options, (error, out, err) => {
        resolve({ out, err, code: error?.code ?? 0 })
      })
    })
  }

  test('starts engines in the background, says how they are used, and leaves none when their process is killed', async () => {
    const { out, code } = await services('start', 'redis', 'redis-cluster', '--background')
    expect(code).toBe(0)
    const ports = [...new Set([...out.matchAll(/127\.0\.0\.1:(\d+)/g)].map(([, port]) => Number(port)))]
    expect(ports).toHaveLength(7)
    expect(await Promise.all(ports.map(isOpen))).toEqual(ports.map(() => true))
    expect(out).toMatch(/^export SPILLWAY_REDIS_URL=redis:\/\/127\.0\.0\.1:\d+$/m)
    expect(out).toMatch(/^export SPILLWAY_REDIS_CLUSTER=(127\.0\.0\.1:\d+,?){6}$/m)
    process.kill(Number(/process (\d+)/.exec(out)?.[1]), 'SIGKILL')
    await waitUntil('all are gone', async () => !(await Promise.all(ports.map(isOpen))).includes(true))
    expect((await services('status')).out).toBe('Nothing is running.\n')
  })

  test('stops the only run without being told which, and no other than it is told', async () => {
    const [one, two] = await Promise.all([1, 2].map(() => services('start', 'dynamodb', '--background')))
    const pid = Number(/process (\d+)/.exec(one!.out)?.[1])
    const unclear = await services('stop')
    expect(unclear).toMatchObject({ code: 1 })
    expect(unclear.err).toContain('2 runs are there: say which is to stop')
    expect((await services('stop', 'x')).err).toContain('No run has process x')
    expect((await services('stop', String(pid))).out).toContain(`(process ${pid})`)
    const [, address = ''] = /^dynamodb +(\S+)/m.exec(two!.out) ?? []
    expect((await services('stop')).out).toContain(address)
    expect((await services('stop')).out).toBe('Nothing was running.\n')
  })

  test('says what to install where there is no Redis, starts nothing, and ends', async () => {
    const { out, err, code } = await servicesWith({ PATH: folder }, 'start', 'redis', 'dynamodb')
    expect({ out, code }).toEqual({ out: '', code: 1 })
    expect(err).toContain('redis-server is not on the path. Install Redis 6.2 or later')
    expect((await services('status')).out).toBe('Nothing is running.\n')
  })
})
