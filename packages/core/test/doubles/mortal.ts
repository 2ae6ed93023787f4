import type { Backend, Spool, SpoolEntry } from '../../src/index.js'
import type { FakeClock } from '../../src/testing.js'

/** One life of a process: what it has under way when it dies is never heard of again. */
export class Life {
  isOver = false

  /** Does nothing, and never ends, once the life is over; an answer that comes too late reaches nobody. */
  async live<T>(work: () => Promise<T>): Promise<T> {
    if (this.isOver) return new Promise(neverSettled)
    const outcome = await work().then(
      (value) => () => value,
      (error: unknown) => () => {
        throw error
      },
    )
    if (this.isOver) return new Promise(neverSettled)
    return outcome()
  }
}

/** A disk: what stays of a process that died. */
export class Disk {
  readonly entries = new Map<number, string>()
  /** How long a commit takes, half of it before it is durable. */
  commitMs = 0
  /** Set while the disk refuses: drawn anew for each commit. */
  isRefusing: () => boolean = () => false
  bytesMax = 1_000_000
  commitCount = 0
  isOpen = false

  /** The spool of one life. What it has not committed when that is over is lost; what it has is there. */
  spool(clock: FakeClock, life = new Life()): Spool {
    const wait = (ms: number) => new Promise<void>((resolve) => (ms > 0 ? void clock.setTimer(resolve, ms) : resolve()))
    return {
      bytesMax: this.bytesMax,
      open: () => {
        this.isOpen = true
        return Promise.resolve([...this.entries].map(([id, text]): SpoolEntry => ({ id, text })))
      },
      commit: ({ put, remove }) =>
        life.live(async () => {
          this.commitCount += 1
          await wait(this.commitMs / 2)
          if (this.isRefusing()) throw new Error('ENOSPC: no space left on device')
          if (!life.isOver) {
            for (const { id, text } of put) this.entries.set(id, text)
            for (const id of remove) this.entries.delete(id)
          }
          await wait(this.commitMs / 2)
        }),
      close: () => {
        this.isOpen = false
        return Promise.resolve()
      },
    }
  }
}

/** A way to the backend that ends with the life: what has left may still arrive. */
export function mortal(backend: Backend, life: Life): Backend {
  const { directory, records } = backend
  return {
    name: backend.name,
    capabilities: backend.capabilities,
    directory: {
      read: (call) => life.live(() => directory.read(call)),
      swap: (expected, text, call) => life.live(() => directory.swap(expected, text, call)),
    },
    records: {
      write: (write, call) => life.live(() => records.write(write, call)),
      read: (read, call) => life.live(() => records.read(read, call)),
      seal: (shard, fields, call) => life.live(() => records.seal(shard, fields, call)),
      absorb: (absorb, call) => life.live(() => records.absorb(absorb, call)),
      clear: (shard, retentionMs, call) => life.live(() => records.clear(shard, retentionMs, call)),
    },
  }
}

function neverSettled(): void {}
