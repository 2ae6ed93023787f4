import { checkKey } from './admission/key-check.js'
import type { Backend, Capabilities } from './backend/backend.js'
import { checkBackend } from './backend/guarded-backend.js'
import type { Random } from './chance/random.js'
import { SystemRandom } from './chance/system-random.js'
import type { ResolvedDetectionOptions } from './detection/detection.js'
import { InvalidArgumentError } from './errors/misuse-error.js'
import type { ClientOptions, ShardingRule } from './options.js'
import { knownOptions } from './internal/known-options.js'
import { numberOption, wholeOption } from './internal/number-option.js'
import { requiredMethods } from './internal/required-methods.js'
import { isPowerOfTwo } from './internal/power-of-two.js'
import type {
  ResolvedLimits,
  ResolvedOptions,
  ResolvedRoutingOptions,
  ResolvedShardingOptions,
} from './resolved-options.js'
import type { Spool } from './spool/spool.js'
import { type Clock, clockMethods } from './time/clock.js'
import { SystemClock } from './time/system-clock.js'

/** The most places that the directory may be kept in: 48,000 strong reads a second of up to 4 KB in DynamoDB. */
const copiesMax = 16

/** Checks a user's options and fills in the defaults. Throws `InvalidArgumentError`. */
export function resolveOptions(given: ClientOptions): ResolvedOptions {
  const options = knownOptions(given, 'options', [
    'backend',
    'collapse',
    'detection',
    'routing',
    'sharding',
    'gather',
    'limits',
    'consistency',
    'clock',
    'random',
    'spool',
  ])
  const { backend } = options
  checkBackend(backend)
  const routing = resolveRouting(options['routing'], backend)
  const limits = resolveLimits(options['limits'])
  if (limits.requestTimeoutMs > limits.writeTimeoutMs) {
    throw new InvalidArgumentError(
      'limits.requestTimeoutMs',
      `at most limits.writeTimeoutMs = ${limits.writeTimeoutMs}`,
      limits.requestTimeoutMs,
    )
  }
  if (limits.writeTimeoutMs >= routing.retryHorizonMs) {
    throw new InvalidArgumentError(
      'limits.writeTimeoutMs',
      `less than routing.retryHorizonMs = ${routing.retryHorizonMs}`,
      limits.writeTimeoutMs,
    )
  }
  const collapse = knownOptions(options['collapse'], 'collapse', ['windowMs'])
  const gather = knownOptions(options['gather'], 'gather', ['concurrencyMax', 'shardTimeoutMs'])
  return Object.freeze({
    backend,
    clock: requiredMethods<Clock>(options['clock'], 'clock', clockMethods) ?? new SystemClock(),
    random: requiredMethods<Random>(options['random'], 'random', ['next']) ?? new SystemRandom(),
    consistency: oneOf(options['consistency'], 'consistency', ['strong', 'eventual'], 'strong'),
    collapse: Object.freeze({ windowMs: numberOption(collapse, 'collapse.windowMs', 0, 60_000, 100) }),
    detection: resolveDetection(options['detection'], backend),
    routing,
    sharding: resolveSharding(options['sharding'], backend.capabilities),
    gather: Object.freeze({
      concurrencyMax: wholeOption(gather, 'gather.concurrencyMax', 1, 1_024, 16),
      shardTimeoutMs: numberOption(gather, 'gather.shardTimeoutMs', 1, 600_000, 2_000),
    }),
    limits,
    spool: requiredMethods<Spool>(options['spool'], 'spool', ['open', 'commit', 'close']),
  })
}

function resolveDetection(given: unknown, backend: Backend): ResolvedDetectionOptions {
  const options = knownOptions(given, 'detection', [
    'bytesMax',
    'halfLifeMs',
    'tickMs',
    'hotWritesPerSecond',
    'hotReadsPerSecond',
    'coolMs',
  ])
  const { writeUnitsPerSecond, readUnitsPerSecond } = backend.capabilities.partition
  return Object.freeze({
    bytesMax: wholeOption(options, 'detection.bytesMax', 4_096, 67_108_864, 65_536),
    halfLifeMs: numberOption(options, 'detection.halfLifeMs', 10, 600_000, 250),
    tickMs: numberOption(options, 'detection.tickMs', 5, 1_000, 50),
    hotWritesPerSecond: numberOption(options, 'detection.hotWritesPerSecond', 0.001, 1e9, writeUnitsPerSecond / 10),
    hotReadsPerSecond: numberOption(options, 'detection.hotReadsPerSecond', 0.001, 1e9, readUnitsPerSecond / 10),
    coolMs: numberOption(options, 'detection.coolMs', 0, 86_400_000, 5_000),
  })
}

function resolveRouting(given: unknown, backend: Backend): ResolvedRoutingOptions {
  const options = knownOptions(given, 'routing', [
    'refreshMs',
    'leaseMs',
    'retryHorizonMs',
    'sealRetentionMs',
    'directoryBytesMax',
    'directoryCopies',
  ])
  const routing = Object.freeze({
    refreshMs: numberOption(options, 'routing.refreshMs', 1, 3_600_000, 1_000),
    leaseMs: numberOption(options, 'routing.leaseMs', 2, 3_600_000, 3_000),
    retryHorizonMs: numberOption(options, 'routing.retryHorizonMs', 3, 86_400_000, 300_000),
    sealRetentionMs: numberOption(options, 'routing.sealRetentionMs', 4, 31_536_000_000, 86_400_000),
    directoryBytesMax: wholeOption(options, 'routing.directoryBytesMax', 1_024, 262_144, 32_768),
    directoryCopies: wholeOption(options, 'routing.directoryCopies', 1, copiesMax, 1),
  })
  if (routing.directoryCopies > 1 && backend.directory.copy === undefined)
    throw new InvalidArgumentError('routing.directoryCopies', '1 on this backend', routing.directoryCopies)
  const ascending = ['refreshMs', 'leaseMs', 'retryHorizonMs', 'sealRetentionMs'] as const
  for (const [i, name] of ascending.entries()) {
    const next = ascending[i + 1]
    if (next !== undefined && routing[name] >= routing[next])
      throw new InvalidArgumentError(`routing.${name}`, `less than routing.${next} = ${routing[next]}`, routing[name])
  }
  return routing
}

function resolveSharding(given: unknown, capabilities: Capabilities): ResolvedShardingOptions {
  const options = knownOptions(given, 'sharding', ['fanoutMax', 'targetUtilization', 'coolMs', 'rules'])
  const fanoutMax = powerOfTwo(
    options['fanoutMax'] === undefined ? 64 : options['fanoutMax'],
    'sharding.fanoutMax',
    1,
    1_024,
  )
  const rules = options['rules'] === undefined ? [] : options['rules']
  if (!Array.isArray(rules)) throw new InvalidArgumentError('sharding.rules', 'an array of { match, fanout }', rules)
  return Object.freeze({
    fanoutMax,
    targetUtilization: numberOption(options, 'sharding.targetUtilization', 0.01, 1, 0.7),
    coolMs: numberOption(options, 'sharding.coolMs', 0, 86_400_000, 60_000),
    rules: Object.freeze(
      rules.map((rule: unknown, i) => resolveRule(rule, `sharding.rules[${i}]`, fanoutMax, capabilities)),
    ),
  })
}

function resolveRule(given: unknown, path: string, fanoutMax: number, capabilities: Capabilities): ShardingRule {
  const { match, fanout } = knownOptions(given, path, ['match', 'fanout'])
  if ((typeof match !== 'string' || match === '') && !(match instanceof RegExp))
    throw new InvalidArgumentError(`${path}.match`, 'a key or a RegExp', match)
  if (typeof match === 'string') checkKey(match, '', capabilities, `${path}.match`)
  if (match instanceof RegExp && (match.global || match.sticky)) {
    throw new InvalidArgumentError(
      `${path}.match`,
      'a RegExp without the flags g and y',
      match.flags,
      'They make a RegExp remember where it stopped.',
    )
  }
  return Object.freeze({ match, fanout: powerOfTwo(fanout, `${path}.fanout`, 2, fanoutMax) })
}

function resolveLimits(given: unknown): ResolvedLimits {
  const options = knownOptions(given, 'limits', [
    'keysMax',
    'bytesMax',
    'atLimit',
    'waitersMax',
    'requestTimeoutMs',
    'writeTimeoutMs',
    'clockSkewMaxMs',
  ])
  const writeTimeoutMs = numberOption(options, 'limits.writeTimeoutMs', 1, 86_400_000, 10_000)
  return Object.freeze({
    keysMax: wholeOption(options, 'limits.keysMax', 1, 10_000_000, 100_000),
    bytesMax: wholeOption(options, 'limits.bytesMax', 1, Number.MAX_SAFE_INTEGER, 67_108_864),
    atLimit: oneOf(options['atLimit'], 'limits.atLimit', ['wait', 'reject'], 'wait'),
    waitersMax: wholeOption(options, 'limits.waitersMax', 0, 10_000_000, 10_000),
    requestTimeoutMs: numberOption(options, 'limits.requestTimeoutMs', 1, 600_000, Math.min(1_000, writeTimeoutMs)),
    writeTimeoutMs,
    clockSkewMaxMs: numberOption(options, 'limits.clockSkewMaxMs', 0, 86_400_000, 60_000),
  })
}

function powerOfTwo(value: unknown, path: string, least: number, most: number): number {
  if (typeof value !== 'number' || !isPowerOfTwo(value) || value < least || value > most)
    throw new InvalidArgumentError(path, `a power of two from ${least} to ${most}`, value)
  return value
}

function oneOf<T extends string>(value: unknown, path: string, allowed: readonly T[], byDefault: T): T {
  if (value === undefined) return byDefault
  if (!allowed.includes(value as T))
    throw new InvalidArgumentError(path, allowed.map((word) => `'${word}'`).join(' or '), value)
  return value as T
}
