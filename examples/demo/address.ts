import { ArgumentError } from './argument-error.js'
import type { BackendId } from './settings.js'

/** The variable of the environment that names an engine, where `--address` does not. */
const variables = {
  redis: 'SPILLWAY_REDIS_URL',
  'redis-cluster': 'SPILLWAY_REDIS_CLUSTER',
  dynamodb: 'SPILLWAY_DYNAMODB_ENDPOINT',
} as const

/** What an address looks like. */
const forms = {
  redis: { what: 'redis://host:port or host:port', protocols: ['redis:', 'rediss:'], countMax: 1 },
  'redis-cluster': {
    what: 'host:port of one node or more, with commas',
    protocols: ['redis:', 'rediss:'],
    countMax: 64,
  },
  dynamodb: { what: 'http://host:port or https://host', protocols: ['http:', 'https:'], countMax: 1 },
} as const

/** Where the engine of `backend` answers; undefined when nobody has said so. Throws `ArgumentError` for what is no address. */
export function addressOf(backend: BackendId, given: string | undefined, env: NodeJS.ProcessEnv): string | undefined {
  if (backend === 'memory') {
    if (given === undefined) return undefined
    throw new ArgumentError(`--address names an engine of --backend, but was given alone: ${given}`)
  }
  const variable = variables[backend]
  const fromEnv = env[variable] === '' ? undefined : env[variable]
  const address = given ?? fromEnv
  if (address === undefined) return undefined
  const { what, protocols, countMax } = forms[backend]
  const parts = address.split(',')
  if (parts.length <= countMax && parts.every((part) => isUrl(part, protocols))) return address
  throw new ArgumentError(
    `${given === undefined ? variable : '--address'} must be ${what} for --backend ${backend}, but was ${JSON.stringify(address)}`,
  )
}

/** Where no protocol is given, the first one is meant. */
function isUrl(text: string, protocols: readonly string[]): boolean {
  const withProtocol = text.includes('://') || protocols[0] === 'http:' ? text : `${protocols[0]}//${text}`
  if (!URL.canParse(withProtocol)) return false
  const { protocol, hostname } = new URL(withProtocol)
  return protocols.includes(protocol) && hostname !== ''
}
