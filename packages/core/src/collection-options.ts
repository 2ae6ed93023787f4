import { checkPrefix } from './admission/key-check.js'
import type { Backend } from './backend/backend.js'
import { InvalidArgumentError } from './errors/misuse-error.js'
import type { HedgeOptions } from './gather/hedge.js'
import { knownOptions } from './internal/known-options.js'
import { numberOption } from './internal/number-option.js'
import type { ItemValue } from './item/item-value.js'
import type { SortType } from './item/sort-value.js'

/** How items are stored that are not plain JSON, such as those with dates. Both functions must be pure. */
export interface ItemCodec<Item> {
  /** An item as an object of JSON. */
  encode(item: Item): ItemValue
  /** The inverse. Gets an object of its own. */
  decode(value: ItemValue): Item
}

/** How a collection is kept. All clients of a backend must declare it alike. */
export interface CollectionOptions<Item, Sort extends SortType> {
  /** Stands before every key. No two collections have the same. @default '' */
  readonly prefix?: string
  /** The type of its sort values. @default 'string' */
  readonly sort?: Sort
  /** @default items are objects of JSON */
  readonly codec?: ItemCodec<Item>
  /**
   * Cursors are authenticated with it: whoever changes one is refused. 16 to 1,024 bytes; of a string, its UTF-8. Of several, the
   * first makes cursors and any of them proves one, so that keys can be changed. @default they are not
   */
  readonly cursorKey?: string | Uint8Array | readonly (string | Uint8Array)[]
  /** Sends slow reads of single shards once more. @default off */
  readonly hedge?: HedgeOptions
}

/** Options with every default filled in and every value checked. */
export interface ResolvedCollection {
  readonly name: string
  readonly prefix: string
  readonly sort: SortType
  readonly codec: ItemCodec<unknown> | undefined
  readonly cursorKeys: readonly Uint8Array[]
  readonly hedge: Required<HedgeOptions> | undefined
}

const secretBytesMin = 16
const secretBytesMax = 1_024

/** Checks the options of a collection. Throws `InvalidArgumentError`, also when the backend keeps no collections, or none with such sort values. */
export function resolveCollection(name: unknown, given: unknown, backend: Backend): ResolvedCollection {
  if (typeof name !== 'string' || name === '')
    throw new InvalidArgumentError('name', 'a string that is not empty', name)
  const options = knownOptions(given, 'options', ['prefix', 'sort', 'codec', 'cursorKey', 'hedge'])
  if (backend.collections === undefined)
    throw new InvalidArgumentError(
      'backend',
      'one that keeps collections',
      backend.name,
      'This one, or this table, keeps records only.',
    )
  const { prefix = '', codec } = options
  checkPrefix(prefix, backend.capabilities)
  if (codec !== undefined) checkCodec(codec)
  return Object.freeze({
    name,
    prefix,
    sort: checkedType(options['sort'], backend.collections.limits.sortTypes),
    codec: codec as ItemCodec<unknown> | undefined,
    cursorKeys: checkedSecrets(options['cursorKey']),
    hedge: checkedHedge(options['hedge']),
  })
}

function checkedType(given: unknown, sortTypes: readonly SortType[]): SortType {
  const type = given === undefined ? 'string' : given
  if (sortTypes.includes(type as SortType)) return type as SortType
  const expected = sortTypes.map((known) => `'${known}'`).join(' or ')
  throw new InvalidArgumentError('options.sort', `${expected}, which is what this backend orders`, type)
}

function checkCodec(codec: unknown): void {
  for (const method of ['encode', 'decode'] as const) {
    const given = (codec as Partial<ItemCodec<unknown>> | null)?.[method]
    if (typeof given !== 'function') throw new InvalidArgumentError(`options.codec.${method}`, 'a function', given)
  }
}

function checkedSecrets(given: unknown): readonly Uint8Array[] {
  if (given === undefined) return []
  if (!Array.isArray(given)) return [checkedSecret(given)]
  if (given.length === 0) throw new InvalidArgumentError('options.cursorKey', 'a secret, or several', given)
  return given.map(checkedSecret)
}

function checkedSecret(given: unknown): Uint8Array {
  const bytes = typeof given === 'string' ? new TextEncoder().encode(given) : given
  if (bytes instanceof Uint8Array && bytes.length >= secretBytesMin && bytes.length <= secretBytesMax)
    return Uint8Array.from(bytes)
  const size = bytes instanceof Uint8Array ? `${bytes.length} bytes` : typeof given
  throw new InvalidArgumentError('options.cursorKey', `${secretBytesMin} to ${secretBytesMax} secret bytes`, size)
}

function checkedHedge(given: unknown): Required<HedgeOptions> | undefined {
  if (given === undefined) return undefined
  const options = knownOptions(given, 'options.hedge', ['afterMs', 'shareMax'])
  return Object.freeze({
    afterMs: numberOption(options, 'options.hedge.afterMs', 1, 600_000, undefined),
    shareMax: numberOption(options, 'options.hedge.shareMax', 0.001, 1, 0.05),
  })
}
