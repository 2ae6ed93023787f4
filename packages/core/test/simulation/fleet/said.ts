import type { ItemDeletion, ItemPut, RouteStamp, ShardRef, ShardWrite } from '../../../src/index.js'

/** A request, as the world talks of it. */
export interface Said {
  readonly operation: string
  readonly shards: readonly ShardRef[]
  readonly isRead: boolean
  readonly isOfDirectory: boolean
  /** Whether it changes items. */
  readonly isOfItems: boolean
  /** Whether the store has said that it has not done it. */
  isRefused: boolean
  readonly write: ShardWrite | undefined
  readonly put: ItemPut | undefined
  readonly deletion: ItemDeletion | undefined
  /** For a reader; costs time. */
  text(): string
}

type Content = ShardWrite | ItemPut | ItemDeletion | RouteStamp | string

const reads: ReadonlySet<string> = new Set(['read', 'get', 'page', 'directory.read'])

/** Describes a request. */
export function said(operation: string, shards: readonly ShardRef[], content?: Content): Said {
  return {
    operation,
    shards,
    isRead: reads.has(operation),
    isOfDirectory: operation === 'directory.read' || operation === 'directory.swap',
    isOfItems: operation === 'put' || operation === 'delete',
    isRefused: false,
    write: operation === 'write' ? (content as ShardWrite) : undefined,
    put: operation === 'put' ? (content as ItemPut) : undefined,
    deletion: operation === 'delete' ? (content as ItemDeletion) : undefined,
    text: () => textOf(operation, shards, content),
  }
}

function textOf(operation: string, shards: readonly ShardRef[], content: Content | undefined): string {
  const places = shards.map(
    ({ key, index, generation }) => `${key}#${index}${index === 0 ? '' : `.${generation.number % 100_000}`}`,
  )
  return `${operation} ${places.join(' ')}${content === undefined ? '' : ` ${detailsOf(content)}`}`.trim()
}

function detailsOf(content: Content): string {
  if (typeof content === 'string') return ''
  if ('changes' in content) {
    const ids = content.changes.find(({ name }) => name === 'ids')?.state
    return `${JSON.stringify(ids instanceof Set || Array.isArray(ids) ? [...(ids as Iterable<unknown>)] : (ids ?? 'other'))} as ${content.stamp?.writer.slice(0, 4)}:${content.stamp?.sequence}`
  }
  if ('revision' in content) return `revision ${content.revision}`
  const { sort, stamp } = content
  const value = 'value' in content ? JSON.stringify(content.value) : content.mode
  return `${String(sort)} ${value} at ${stamp.timeMs % 100_000}.${stamp.order} by ${stamp.writer.slice(0, 4)}`
}
