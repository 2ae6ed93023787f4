// Problem: the SDK has 50 sockets a host. What comes beyond waits in its agent, unseen, while the time-outs run.
// Scheme: look at the agent's queue when a request of ours is over; tell a channel whenever somebody waits there, and the
//   process once.
// Invariants: nothing of the client is changed; a client that shows no agent is never complained of.
// Cost: a look at two objects a request, none once it was told and nobody listens.
// Source: smithy-typescript packages/node-http-handler, which itself warns when 100 are waiting; nodejs.org/api/http.html,
//   agent.requests.

import { channel } from 'node:diagnostics_channel'

/** What is told on `node:diagnostics_channel` as `spillway:sockets-full`. */
export interface SocketsFull {
  /** The table whose requests met it. */
  readonly table: string
  /** How many requests, of whomever uses the client, wait for a socket. */
  readonly waiting: number
  /** How many sockets there are a host. */
  readonly socketsMax: number
}

const full = channel('spillway:sockets-full')

interface AgentLike {
  readonly requests?: Readonly<Record<string, readonly unknown[]>>
  readonly maxSockets?: number
}

interface HandlerLike {
  httpHandlerConfigs?(): { readonly httpAgent?: AgentLike; readonly httpsAgent?: AgentLike }
}

/** Notices when requests wait for a socket. */
export class Sockets {
  readonly #handler: HandlerLike | undefined
  readonly #table: string
  #hasWarned = false

  constructor(client: object, table: string) {
    this.#handler = (client as { readonly config?: { readonly requestHandler?: HandlerLike } }).config?.requestHandler
    this.#table = table
  }

  /** Looks whether anybody waits. */
  look(): void {
    if (this.#hasWarned && !full.hasSubscribers) return
    const agents = this.#handler?.httpHandlerConfigs?.()
    if (agents === undefined) return
    this.#tell(agents.httpsAgent)
    this.#tell(agents.httpAgent)
  }

  #tell(agent: AgentLike | undefined): void {
    let waiting = 0
    for (const host in agent?.requests) waiting += agent.requests[host]?.length ?? 0
    if (waiting === 0) return
    const event: SocketsFull = { table: this.#table, waiting, socketsMax: agent?.maxSockets ?? Infinity }
    if (full.hasSubscribers) full.publish(event)
    if (this.#hasWarned) return
    this.#hasWarned = true
    process.emitWarning(
      `${waiting} requests to DynamoDB wait for one of ${event.socketsMax} sockets. Give the client's requestHandler a larger maxSockets. Told once; the channel spillway:sockets-full tells every time.`,
      { type: 'SpillwayWarning', code: 'SPILLWAY_SOCKETS_FULL' },
    )
  }
}
