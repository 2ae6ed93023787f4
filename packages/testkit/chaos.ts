/**
 * `npm run chaos -- --backend redis|dynamo --minutes M [--processes N] [--seed S]`: see docs/chaos.md. Ends with 1 and a list of
 * the differences where what is stored is not what was acknowledged.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { runChaos, startDynamoChaos, startRedisChaos } from './src/index.js'

const usage = 'Usage: npm run chaos -- --backend redis|dynamo --minutes M [--processes N] [--seed S]'

const backends = {
  redis: { start: startRedisChaos, script: 'redis/test/chaos-process.ts' },
  dynamo: { start: startDynamoChaos, script: 'dynamo/test/fixtures/chaos-process.ts' },
} as const

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

function numberOf(name: string, text: string, least: number): number {
  const number = Number(text)
  if (Number.isFinite(number) && number >= least) return number
  throw new Error(`--${name} must be a number from ${least} on, but was ${text}. ${usage}`)
}

async function main(): Promise<void> {
  const names = ['backend', 'minutes', 'processes', 'seed'] as const
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]))
  const { values } = parseArgs({ options })
  const backend = backends[values['backend'] as keyof typeof backends] as (typeof backends)['redis'] | undefined
  if (backend === undefined || values['minutes'] === undefined) throw new Error(usage)
  const seed = numberOf('seed', values.seed ?? String(Date.now() % 1_000_000), 0)
  const report = await runChaos({
    start: backend.start,
    script: join(import.meta.dirname, '..', backend.script),
    seed,
    durationMs: numberOf('minutes', values.minutes, 0.1) * 60_000,
    processCount: numberOf('processes', values.processes ?? '8', 1),
    onLine: print,
  })
  print(`\n${report.text}`)
  if (report.folder !== undefined) print(`ledgers       ${report.folder}`)
  process.exitCode = report.differences.length === 0 ? 0 : 1
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  process.exitCode = 1
})
