// A process of its own that stores its share of the log's edits in a cluster.

import { editOrders, editRules, EditWriter, type Edit } from '@spillway/testkit'

import type { ClusterPlace } from './clients.js'
import { openEdits } from './edits.js'

const [place = ''] = process.argv.slice(2)

async function main(): Promise<void> {
  const orders = await editOrders()
  const { client, close } = await openEdits(JSON.parse(place) as ClusterPlace, editRules(orders))
  const writer = new EditWriter(client.collection<Edit>('edits'), orders)
  client.on('route-changed', (event) => writer.routeChanged(event))
  client.on('flush', (event) => writer.flushed(event))
  await writer.run()
  await close()
  process.disconnect()
}

void main()
