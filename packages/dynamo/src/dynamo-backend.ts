// Problem: a hot key in DynamoDB is one partition's 1,000 writes a second, and its client sends a write again whose answer was
//   lost.
// Scheme: a flush is one UpdateItem with the protocol's rules in its condition; a gather is one BatchGetItem; the directory is
//   one item; a collection's item is one, too. Shard 0 is what is there already.
// Invariants: those of the contract; attributes that belong to nobody here are left alone.
// Cost: a request for each, as the operations say.
// Source: backend.ts of @spillway/core; docs/routing.md.

import type { Backend } from '@spillway/core'

import { capabilities } from './capabilities.js'
import { checkTable } from './check-table.js'
import { collectionsOf } from './collections.js'
import { Housekeeping } from './housekeeping.js'
import { absorb } from './operations/absorb.js'
import { clear } from './operations/clear.js'
import { directoryOf } from './operations/directory.js'
import { read } from './operations/read.js'
import { seal } from './operations/seal.js'
import { write } from './operations/write.js'
import { resolveOptions, type DynamoOptions } from './options.js'
import type { Parts } from './parts.js'
import type { ItemParts } from './item-parts.js'
import { Requests } from './requests.js'
import { Table } from './table.js'

/**
 * A table of DynamoDB as a backend. Existing items are adopted: a key's item is its shard 0, a field is the attribute of its
 * name, and all other attributes are left alone. Throws `InvalidArgumentError`.
 */
export function dynamo(options: DynamoOptions): Backend {
  const resolved = resolveOptions(options)
  const items: ItemParts = {
    requests: new Requests(resolved.client, resolved.table),
    table: new Table(resolved),
  }
  const housekeeping = new Housekeeping(items)
  const parts: Parts = { ...items, housekeeping }
  return {
    name: 'dynamo',
    capabilities,
    directory: directoryOf(parts),
    records: {
      write: (asked, call) => write(parts, asked, call),
      read: (asked, call) => read(parts, asked, call),
      seal: (shard, fields, call) => seal(parts, shard, fields, call),
      absorb: (asked, call) => absorb(parts, asked, call),
      clear: (shard, retentionMs, call) => clear(parts, shard, retentionMs, call),
      // No stampRoute: DynamoDB forgets nothing that it acknowledged, so no route has to be restored from its shard 0.
    },
    collections: collectionsOf(items),
    open: (call) => (resolved.checkTable ? checkTable(items.requests, resolved, call) : Promise.resolve()),
    close: () => housekeeping.settled(),
  }
}
