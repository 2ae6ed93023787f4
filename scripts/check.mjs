// Runs every check but the tests, each by its npm script; prints the output of those that fail, and counts.
import { spawnSync } from 'node:child_process'

const checks = [
  ['types', 'typecheck'],
  ['lint', 'lint'],
  ['format', 'format:check'],
  ['unused code and dependencies', 'unused'],
  ['layers and cycles', 'layers'],
  ['build', 'build'],
  ['api reports', 'api:check'],
  ['packed tarballs', 'pack:check'],
  ['size', 'size'],
  ['every rule of the protocol is needed', 'break-rules'],
]

let failedCount = 0
for (const [name, script] of checks) {
  const startMs = performance.now()
  const run = spawnSync('npm', ['run', '--silent', script], { encoding: 'utf8', shell: process.platform === 'win32' })
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
  const isOk = run.status === 0
  if (!isOk) failedCount += 1
  console.log(`${isOk ? 'ok  ' : 'FAIL'} ${name} (npm run ${script}, ${seconds} s)`)
  if (!isOk) console.log(`${run.error ?? ''}${run.stdout}${run.stderr}`)
}

console.log(`${checks.length} checks, ${failedCount} of them failed`)
process.exitCode = failedCount === 0 ? 0 : 1
