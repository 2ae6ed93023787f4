// Takes each rule of the protocol out of a copy of the code and shows that the rule's test fails without it.
//   npm run break-rules
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const src = 'packages/core/src'
const rules = [
  {
    rule: 'announce-wait',
    file: `${src}/routing/coordinator.ts`,
    from: '>= this.#parts.leaseMs * clockDriftFactor',
    to: '>= 0 * this.#parts.leaseMs * clockDriftFactor',
  },
  {
    rule: 'dedupe',
    file: `${src}/collapse/flight.ts`,
    from: 'stamp: this.#stamp }',
    to: 'stamp: this.#parts.nextStamp(0) }',
  },
  {
    rule: 'sticky-retry',
    file: `${src}/collapse/flight.ts`,
    from: 'this.#isUncertain ? this.#shard : this.#parts.pickShard(this.key, nowMs)',
    to: 'this.#parts.pickShard(this.key, nowMs)',
  },
  { rule: 'own-answer', file: `${src}/collapse/flight.ts`, from: ' || shard !== this.#shard', to: '' },
  {
    rule: 'lease-at-end',
    file: `${src}/gather/gather.ts`,
    from: 'if (snapshot.isValidAt(clock.nowMs())) return requireSome',
    to: 'return requireSome',
  },
  {
    rule: 'late-ack',
    file: `${src}/collapse/item-flight.ts`,
    from: '!this.#isCutShort && snapshot.isValidAt(this.#parts.clock.nowMs())',
    to: '!this.#isCutShort',
  },
  {
    rule: 'take-back',
    file: `${src}/collapse/item-flight.ts`,
    from: 'if (tombstone !== undefined) await',
    to: 'if (tombstone !== undefined && places.length < 0) await',
  },
  {
    rule: 'tombstone',
    file: `${src}/collapse/item-flight.ts`,
    from: "const mode = 'tombstone'",
    to: "const mode = 'remove'",
  },
  {
    rule: 'every-candidate',
    file: `${src}/collapse/item-flight.ts`,
    from: 'this.#delete(candidatesOf(key, route, hashed),',
    to: 'this.#delete([homeOf(key, route, hashed)],',
  },
  {
    rule: 'newest-wins',
    file: `${src}/gather/item-gather.ts`,
    from: 'compareStamps(a.stamp, b.stamp) >= 0 ? a : b',
    to: 'compareStamps(a.stamp, b.stamp) < 0 ? a : b',
  },
  {
    rule: 'lease-at-end: a page',
    file: `${src}/gather/item-request.ts`,
    from: 'else if (snapshot.isValidAt(clock.nowMs())) return value',
    to: 'else return value',
  },
  {
    rule: 'lease-at-end: an iterate',
    file: `${src}/gather/page-gather.ts`,
    from: 'stamp !== undefined || !snapshot.isValidAt(clock.nowMs())',
    to: 'stamp !== undefined',
  },
]

const copy = mkdtempSync(join(tmpdir(), 'spillway-rules-'))
let failed = 0
try {
  for (const path of ['packages', 'vitest.config.ts', 'tsconfig.json', 'tsconfig.base.json', 'package.json']) {
    cpSync(path, join(copy, path), { recursive: true, filter: (from) => !/node_modules|dist$|\.turbo/.test(from) })
  }
  symlinkSync(join(process.cwd(), 'node_modules'), join(copy, 'node_modules'))
  for (const { rule, file, from, to } of rules) {
    const path = join(copy, file)
    const intact = readFileSync(path, 'utf8')
    if (intact.split(from).length !== 2) throw new Error(`${rule}: ${file} must contain «${from}» once`)
    const whole = run(rule)
    writeFileSync(path, intact.replace(from, to))
    const broken = run(rule)
    writeFileSync(path, intact)
    const isCaught = whole.passed && !broken.passed
    if (!isCaught) failed += 1
    console.log(
      `${isCaught ? 'caught' : 'MISSED'}  ${rule}: ${isCaught ? broken.why : whole.why || 'its test passes without it'}`,
    )
  }
} finally {
  rmSync(copy, { recursive: true, force: true })
}
console.log(`${rules.length - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

/** Runs the tests whose title begins with the rule. */
function run(rule) {
  try {
    execFileSync(
      'npx',
      ['vitest', 'run', '--project', 'simulation', 'rules.sim', '--testTimeout', '20000', '-t', rule],
      {
        cwd: copy,
        stdio: 'pipe',
        env: { ...process.env, NO_COLOR: '1', CI: 'true' },
      },
    )
    return { passed: true, why: '' }
  } catch (error) {
    const why = /AssertionError: .*|Error: .*/.exec(String(error.stdout) + String(error.stderr))?.[0] ?? 'failed'
    return { passed: false, why }
  }
}
