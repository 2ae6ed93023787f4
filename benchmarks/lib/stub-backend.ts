import {
  type Backend,
  memory,
  type ShardAnswer,
  type ShardsRead,
  type ShardWrite,
  type WriteAnswer,
} from '@spillway/core'

/** A backend that keeps nothing but a total: each call answers with one and the same resolved promise. */
export interface StubBackend extends Backend {
  /** The numbers that writes have brought, all added up. */
  readonly total: number
  /** The last requests that came: held, so that nobody is spared to make them. */
  readonly lastRequests: readonly [ShardWrite | undefined, ShardsRead | undefined]
}

/** What the backend costs is next to nothing, so that what is around it shows. Takes records of one field that adds up. */
export function stubBackend(): StubBackend {
  const done = Promise.resolve<WriteAnswer>({ status: 'done', units: 1 })
  const contents: ShardAnswer = { status: 'read', states: [1], absorbed: undefined, units: 1 }
  const answer = Promise.resolve<readonly ShardAnswer[]>([contents])
  const { capabilities, directory } = memory()
  let total = 0
  let lastWrite: ShardWrite | undefined
  let lastRead: ShardsRead | undefined
  return {
    name: 'stub',
    capabilities,
    directory,
    records: {
      write(write) {
        total += write.changes[0]?.state as number
        lastWrite = write
        return done
      },
      read(read) {
        lastRead = read
        return answer
      },
      seal: () => Promise.reject(new Error('a stub seals nothing')),
      absorb: () => Promise.reject(new Error('a stub absorbs nothing')),
      clear: () => Promise.reject(new Error('a stub clears nothing')),
    },
    get total() {
      return total
    },
    get lastRequests() {
      return [lastWrite, lastRead] as const
    },
  }
}
