import type { PostgresClient } from './postgres-backend.js'

/** What becomes of a statement: it never leaves, the server refuses it, or it is done and its answer is lost. */
export type Trouble = 'none' | 'unreachable' | 'full' | 'mute'

/** A client that fails as a network and a server do. Takes the place of a real one in tests. */
export class UnreliableClient implements PostgresClient {
  /** How many statements have been sent. */
  sentCount = 0
  readonly #inner: PostgresClient
  #trouble: Trouble = 'none'
  #from = 0
  #to = 0

  constructor(inner: PostgresClient) {
    this.#inner = inner
  }

  /** Lets so many statements pass, then troubles so many; answers how to end it. */
  begin(trouble: Trouble, { passed = 0, troubled = Infinity } = {}): () => void {
    this.#trouble = trouble
    this.#from = this.sentCount + passed
    this.#to = this.#from + troubled
    return () => void (this.#trouble = 'none')
  }

  async query(sql: string, values: unknown[]) {
    const nth = this.sentCount++
    const trouble = nth >= this.#from && nth < this.#to ? this.#trouble : 'none'
    if (trouble === 'unreachable') throw failure('connect ECONNREFUSED 127.0.0.1:5432', 'ECONNREFUSED')
    if (trouble === 'full') throw failure('sorry, too many clients already', '53300')
    const answer = await this.#inner.query(sql, values)
    if (trouble === 'mute') throw failure('Connection terminated unexpectedly') // as pg says it, without a code
    return answer
  }
}

function failure(message: string, code?: string): Error {
  return Object.assign(new Error(message), code !== undefined && { code })
}
