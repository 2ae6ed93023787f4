/**
 * `npm run services -- start [dynamodb] [redis] [redis-cluster] [--background]`, `… stop [process|all]`, `… status`.
 * `start` holds the engines until Ctrl-C or `stop`; with `--background` it returns once they are ready. `stop` alone ends the
 * only run that there is: those beside it may be somebody else's.
 */
import { spawn } from 'node:child_process'

import {
  runningServices,
  serviceNames,
  startServices,
  stopServices,
  variables,
  type Addresses,
  type ServiceName,
  type ServicesRun,
} from './src/services.js'

const usage = `Usage: npm run services -- start [${serviceNames.join('] [')}] [--background] | stop [process|all] | status`

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

function printRuns(runs: readonly ServicesRun[], none: string): void {
  if (runs.length === 0) print(none)
  for (const { pid, addresses } of runs)
    for (const [name, address] of Object.entries(addresses)) print(`${name.padEnd(14)} ${address}  (process ${pid})`)
}

/** How tests, demo and benchmarks are told of them. */
function printVariables(addresses: Addresses): void {
  for (const name of serviceNames)
    if (addresses[name] !== undefined) print(`export ${variables[name]}=${addresses[name]}`)
}

/** Holds the engines until somebody wants them to stop. */
async function hold(names: readonly ServiceName[]): Promise<void> {
  const signalled = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve())
  })
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined) // whoever started this in the background has left
  const services = await startServices(names)
  const keepAlive = setInterval(() => undefined, 60_000) // engines hold no process
  printRuns([{ pid: process.pid, addresses: services.addresses }], 'Nothing was asked for.')
  printVariables(services.addresses)
  print('ready')
  await Promise.race([signalled, services.stopAsked])
  await services.close()
  clearInterval(keepAlive)
}

/** Starts a process that holds the engines, and returns once it is ready. */
function holdElsewhere(names: readonly ServiceName[]): Promise<void> {
  const script = process.argv[1] ?? ''
  const child = spawn(process.execPath, [...process.execArgv, script, 'start', ...names], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'], // whoever waits for the end of what this command prints must not wait for the engines
  })
  return new Promise((resolve, reject) => {
    let said = ''
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`The engines did not start (exit code ${code}).`)))
    child.stderr.pipe(process.stderr)
    child.stdout.on('data', (data: Buffer) => {
      said += data.toString()
      if (!said.endsWith('ready\n')) return
      print(said.trimEnd())
      child.removeAllListeners('exit')
      child.stdout.destroy()
      child.stderr.destroy()
      child.unref()
      resolve()
    })
  })
}

/** Ends one run, or all. Throws when it is not clear which. */
async function stop(which: string | undefined): Promise<void> {
  if (which === 'all') return printRuns(await stopServices(), 'Nothing was running.')
  const runs = await runningServices()
  if (which === undefined && runs.length > 1) {
    printRuns(runs, '')
    throw new Error(`${runs.length} runs are there: say which is to stop, such as stop ${runs[0]?.pid}, or stop all.`)
  }
  const pid = which === undefined ? runs[0]?.pid : Number(which)
  if (pid === undefined) return print('Nothing was running.')
  if (!runs.some((run) => run.pid === pid)) throw new Error(`No run has process ${which}. See status.`)
  printRuns(await stopServices(pid), 'It had ended by itself.')
}

async function main([command, ...rest]: readonly string[]): Promise<void> {
  if (command === 'stop') return stop(rest[0])
  if (command === '--help' || command === undefined) return print(usage)
  const asked = rest.filter((word) => word !== '--background')
  const unknown = asked.find((word) => !serviceNames.includes(word as ServiceName))
  if (unknown !== undefined) throw new Error(`There is no service ${unknown}. ${usage}`)
  const names = asked.length === 0 ? serviceNames : (asked as ServiceName[])
  if (command === 'start') return rest.includes('--background') ? holdElsewhere(names) : hold(names)
  if (command === 'status') return printRuns(await runningServices(), 'Nothing is running.')
  throw new Error(usage)
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
})
