import { execFileSync } from 'node:child_process'
import { arch, cpus, platform, release, totalmem } from 'node:os'

/** Where a result was measured. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGb: number
  readonly os: string
  readonly node: string
  readonly v8: string
}

/** This machine. */
export function thisMachine(): Machine {
  const cores = cpus()
  return {
    cpu: cores[0]?.model ?? 'unknown',
    cores: cores.length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    os: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    v8: process.versions.v8,
  }
}

/** The commit that is checked out, with `+` when a package's sources or benchmarks differ from it; `unknown` outside a checkout. */
export function thisCommit(): string {
  try {
    const root = git('rev-parse', '--show-toplevel')
    const sources = ['packages/*/src', 'benchmarks', ':!benchmarks/results']
    const isChanged = git('-C', root, 'status', '--porcelain', '--', ...sources) !== ''
    return `${git('rev-parse', 'HEAD')}${isChanged ? '+' : ''}`
  } catch {
    return 'unknown'
  }
}

function git(...args: string[]): string {
  return execFileSync('git', args, { encoding: 'utf8' }).trim()
}
