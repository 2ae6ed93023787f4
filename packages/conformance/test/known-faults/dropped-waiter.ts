// bentocache, src/cache/locks.ts: whoever releases a key's lock takes it out of the map, also while others queue on it. The next
// to come makes a new lock and runs beside whoever has waited.

import { memory, type Backend } from '@spillway/core'

import { nameOf, tick, withRecords } from '../mutants/mutant.js'
import type { KnownFault } from './known-fault.js'

/** A store without atomic changes: of writes to one shard that overlap, one stays. */
function readModifyWrite(backend: Backend): Backend {
  const busy = new Set<string>()
  return withRecords((records) => ({
    async write(write, call) {
      const name = nameOf(write.shard)
      if (busy.has(name)) return { status: 'done' }
      busy.add(name)
      const answer = await records.write(write, call)
      await tick()
      busy.delete(name)
      return answer
    },
  }))(backend)
}

/** Who holds a lock, and who waits for it. */
interface Queue {
  tail: Promise<void>
  users: number
}

/** Locks by name; `isKept` says whether a lock stays in the map while others wait for it. */
class Locks {
  readonly #queues = new Map<string, Queue>()
  readonly #isKept: boolean

  constructor(isKept: boolean) {
    this.#isKept = isKept
  }

  run<T>(name: string, body: () => Promise<T>): Promise<T> {
    const queue = this.#queues.get(name) ?? { tail: Promise.resolve(), users: 0 }
    this.#queues.set(name, queue)
    queue.users += 1
    const ran = queue.tail.then(body)
    queue.tail = ran.then(
      () => this.#release(name, queue),
      () => this.#release(name, queue),
    )
    return ran
  }

  #release(name: string, queue: Queue): void {
    queue.users -= 1
    if (!this.#isKept || queue.users === 0) this.#queues.delete(name)
  }
}

/** A store without atomic changes, behind locks. */
export function locked(backend: Backend, isKept: boolean): Backend {
  const locks = new Locks(isKept)
  return withRecords((records) => ({
    write: (write, call) => locks.run(nameOf(write.shard), () => records.write(write, call)),
    seal: (shard, fields, call) => locks.run(nameOf(shard), () => records.seal(shard, fields, call)),
  }))(readModifyWrite(backend))
}

export const droppedWaiter: KnownFault = {
  seenIn: 'bentocache, its locks by key',
  fault: 'a lock is thrown away while others wait for it',
  breaks: ['atomic-writers'],
  harness: { open: () => locked(memory(), false) },
}
