import { type Backend, BackendError, type ShardsRead, type ShardWrite } from '../../src/index.js'

/** A request that waits for the test to decide its fate. */
export interface HeldRequest {
  readonly operation: 'write' | 'read' | 'directory.read' | 'directory.swap'
  /** Which shards it concerns; none for the directory. */
  readonly shardIndexes: readonly number[]
  /** Lets it take effect; its answer stays behind. May be called again: the network delivers twice. */
  deliver(): Promise<void>
  /** Gives the answer of the first delivery to the client. */
  answer(): void
  /** Both. */
  pass(): Promise<void>
}

/** Passes requests on to a shared backend, except those that the test holds: it decides when they take effect and are answered. */
export class HeldBackend implements Backend {
  readonly name: string
  readonly capabilities: Backend['capabilities']
  readonly directory: Backend['directory']
  readonly records: Backend['records']
  /** Which requests are held. */
  holds: (operation: HeldRequest['operation']) => boolean = () => false
  /** How many of the next writes are throttled. */
  throttleNext = 0
  /** Those that are held now, oldest first. */
  readonly held: HeldRequest[] = []
  /** Every write that was sent, held or not. */
  readonly writes: ShardWrite[] = []
  /** Every read that was sent, held or not. */
  readonly reads: ShardsRead[] = []

  constructor(inner: Backend, capabilities: Partial<Backend['capabilities']> = {}) {
    this.name = inner.name
    this.capabilities = { ...inner.capabilities, ...capabilities }
    this.directory = {
      read: (call) => this.#send('directory.read', [], () => inner.directory.read(call)),
      swap: (expected, text, call) =>
        this.#send('directory.swap', [], () => inner.directory.swap(expected, text, call)),
    }
    this.records = {
      ...inner.records,
      write: (write, call) => {
        this.writes.push(write)
        if (this.throttleNext > 0) {
          this.throttleNext -= 1
          return Promise.reject(new BackendError('throttled', 'by the test'))
        }
        return this.#send('write', [write.shard.index], () => inner.records.write(write, call))
      },
      read: (read, call) => {
        this.reads.push(read)
        const indexes = read.shards.map((shard) => shard.index)
        return this.#send('read', indexes, () => inner.records.read(read, call))
      },
      seal: (shard, fields, call) => inner.records.seal(shard, fields, call),
      absorb: (absorb, call) => inner.records.absorb(absorb, call),
      clear: (shard, retentionMs, call) => inner.records.clear(shard, retentionMs, call),
      ...(inner.records.stampRoute && {
        stampRoute: (shard, stamp, call) => inner.records.stampRoute?.(shard, stamp, call) ?? Promise.resolve(),
      }),
    }
  }

  /** The requests of one kind that are held now. */
  heldOf(operation: HeldRequest['operation']): readonly HeldRequest[] {
    return this.held.filter((request) => request.operation === operation)
  }

  #send<T>(operation: HeldRequest['operation'], shardIndexes: readonly number[], send: () => Promise<T>): Promise<T> {
    if (!this.holds(operation)) return send()
    return new Promise((resolve, reject) => {
      let first: Promise<T> | undefined
      const deliver = async () => {
        const answer = send()
        first ??= answer
        await answer.catch(() => undefined)
      }
      const answer = () => {
        this.held.splice(this.held.indexOf(request), 1)
        first?.then(resolve, reject)
      }
      const request: HeldRequest = {
        operation,
        shardIndexes,
        deliver,
        answer,
        pass: async () => {
          await deliver()
          answer()
        },
      }
      this.held.push(request)
    })
  }
}
