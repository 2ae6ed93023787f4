import type {
  Backend,
  Call,
  Capabilities,
  DirectoryDocument,
  DirectoryStore,
  RecordStore,
  ShardAnswer,
  ShardRef,
  ShardsRead,
  ShardWrite,
  WriteAnswer,
} from '../../src/index.js'

import { HeldItems } from './held-items.js'

/** A request that a test holds: it reaches the store, or fails, when the test says so. */
export class Held<Request, Answer> {
  readonly request: Request
  readonly call: Call
  readonly answer: Promise<Answer>
  readonly #send: () => Promise<Answer>
  #stored: Promise<Answer> | undefined
  #resolve!: (answer: Answer | Promise<Answer>) => void
  #reject!: (error: unknown) => void

  constructor(request: Request, call: Call, send: () => Promise<Answer>) {
    this.request = request
    this.call = call
    this.#send = send
    this.answer = new Promise<Answer>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** Lets the store do it now, and keeps the answer back until `pass`. */
  async store(): Promise<void> {
    this.#stored = this.#send()
    await this.#stored
  }

  /** Lets the store do it and answer. */
  pass(): void {
    this.#resolve(this.#stored ?? this.#send())
  }

  /** Answers in the store's place: nothing is done. */
  with(answer: Answer): void {
    this.#resolve(answer)
  }

  /** Fails it: nothing is done. */
  fail(error: unknown): void {
    this.#reject(error)
  }
}

/** A request that the directory gets. */
export interface DirectoryRequest {
  readonly operation: 'read' | 'swap'
  readonly text?: string
}

/** Which requests are held instead of passed on. */
export interface Holds {
  write: boolean
  read: boolean
  directory: boolean
}

/** A backend that counts every request to the one inside, and holds back those that a test asks it to. */
export class ScriptedBackend implements Backend {
  readonly name = 'scripted'
  readonly capabilities: Capabilities
  readonly directory: DirectoryStore
  readonly records: RecordStore
  readonly collections: HeldItems | undefined
  /** Of the application's keys; those of Spillway's own are in `reports`, and are never held. */
  readonly writes: ShardWrite[] = []
  readonly reads: ShardsRead[] = []
  /** Reports of heat. */
  readonly reports: ShardWrite[] = []
  readonly directoryRequests: DirectoryRequest[] = []
  readonly heldWrites: Held<ShardWrite, WriteAnswer>[] = []
  readonly heldReads: Held<ShardsRead, readonly ShardAnswer[]>[] = []
  readonly heldDirectory: Held<DirectoryRequest, unknown>[] = []
  readonly holds: Holds = { write: false, read: false, directory: false }
  openCount = 0
  closeCount = 0

  constructor(inner: Backend) {
    this.capabilities = inner.capabilities
    this.collections = inner.collections && new HeldItems(inner.collections)
    this.records = {
      write: (write, call) => {
        if (this.#isOwn(write.shard)) {
          this.reports.push(write)
          return inner.records.write(write, call)
        }
        this.writes.push(write)
        return this.#deliver('write', this.heldWrites, write, call, () => inner.records.write(write, call))
      },
      read: (read, call) => {
        if (this.#isOwn(read.shards[0])) return inner.records.read(read, call)
        this.reads.push(read)
        return this.#deliver('read', this.heldReads, read, call, () => inner.records.read(read, call))
      },
      seal: (shard, fields, call) => inner.records.seal(shard, fields, call),
      absorb: (absorb, call) => inner.records.absorb(absorb, call),
      clear: (shard, retentionMs, call) => inner.records.clear(shard, retentionMs, call),
      ...(inner.records.stampRoute && {
        stampRoute: (shard, stamp, call) => inner.records.stampRoute?.(shard, stamp, call) ?? Promise.resolve(),
      }),
      ...(inner.records.checkSpread && {
        checkSpread: (shard, call) => inner.records.checkSpread?.(shard, call) ?? Promise.resolve(),
      }),
    }
    this.directory = this.#directory(inner.directory)
  }

  #isOwn(shard: ShardRef | undefined): boolean {
    return shard?.key.startsWith(this.capabilities.reservedMark) === true
  }

  #directory(inner: DirectoryStore): DirectoryStore {
    return {
      read: (call) => this.#ask({ operation: 'read' }, call, () => inner.read(call)) as Promise<DirectoryDocument>,
      swap: (expected, text, call) =>
        this.#ask({ operation: 'swap', text }, call, () => inner.swap(expected, text, call)) as Promise<
          string | undefined
        >,
      ...(inner.copy && { copy: (index: number) => this.#directory(inner.copy?.(index) ?? inner) }),
    }
  }

  open(): Promise<void> {
    this.openCount += 1
    return Promise.resolve()
  }

  close(): Promise<void> {
    this.closeCount += 1
    return Promise.resolve()
  }

  /** All requests so far, of any kind. */
  get requestCount(): number {
    return this.writes.length + this.reads.length + this.directoryRequests.length
  }

  #ask(request: DirectoryRequest, call: Call, send: () => Promise<unknown>): Promise<unknown> {
    this.directoryRequests.push(request)
    return this.#deliver('directory', this.heldDirectory, request, call, send)
  }

  #deliver<Request, Answer>(
    kind: keyof Holds,
    held: Held<Request, Answer>[],
    request: Request,
    call: Call,
    send: () => Promise<Answer>,
  ): Promise<Answer> {
    if (!this.holds[kind]) return send()
    const one = new Held(request, call, send)
    held.push(one)
    return one.answer
  }
}
