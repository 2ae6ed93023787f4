import { type Client, max, type Records, sum } from '@spillway/core'

const rules = { views: sum(), lastViewMs: max() }

/** What every page's key begins with. */
export const pagePrefix = 'page:'

/** The pages' records, declared alike by whoever writes or reads them. */
export function pageRecords(client: Client): Records<typeof rules> {
  return client.records('page', rules, { prefix: pagePrefix })
}
