import { BackendError, memory, type Backend, type RecordStore } from '@spillway/core'

import { mutant, tick, withRecords, type Mutant } from './mutant.js'

/** Puts something before every request of the records. */
function withGate(backend: Backend, gate: () => Promise<void>): Backend {
  return withRecords((records) => ({
    write: async (write, call) => (await gate(), records.write(write, call)),
    read: async (read, call) => (await gate(), records.read(read, call)),
    seal: async (shard, fields, call) => (await gate(), records.seal(shard, fields, call)),
    absorb: async (absorb, call) => (await gate(), records.absorb(absorb, call)),
  }))(backend)
}

/** A backend whose store is made anew when it is opened while it is open. */
function emptiedByOpening(): Backend {
  let [inner, isOpen] = [memory(), false]
  const records: RecordStore = {
    write: (write, call) => inner.records.write(write, call),
    read: (read, call) => inner.records.read(read, call),
    seal: (shard, fields, call) => inner.records.seal(shard, fields, call),
    absorb: (absorb, call) => inner.records.absorb(absorb, call),
    clear: (shard, retentionMs, call) => inner.records.clear(shard, retentionMs, call),
  }
  return {
    ...inner,
    records,
    async open() {
      if (isOpen) inner = memory()
      isOpen = true
    },
    async close() {
      isOpen = false
    },
  }
}

export const lifeMutants: readonly Mutant[] = [
  mutant('life-capabilities', 'limits are known only once it is open', (backend) => {
    let isOpen = false
    return {
      ...backend,
      get capabilities() {
        return { ...backend.capabilities, keyBytesMax: isOpen ? backend.capabilities.keyBytesMax : 0 }
      },
      async open() {
        isOpen = true
      },
    }
  }),
  mutant('life-open-twice', 'a second opening empties the store', emptiedByOpening),
  mutant('life-close-unopened', 'a close fails where nothing was opened', (backend) => {
    let connection: { end(): void } | undefined
    return {
      ...backend,
      async open() {
        connection = { end: () => undefined }
      },
      async close() {
        ;(connection as { end(): void }).end()
      },
    }
  }),
  mutant(
    'life-reopen',
    'the close ends the client that the user made',
    (backend) => {
      let isEnded = false
      const gated = withGate(backend, async () => {
        if (isEnded) throw new BackendError('unavailable', 'The client is closed.')
      })
      return {
        ...gated,
        async close() {
          isEnded = true
        },
      }
    },
    ['life-close-unopened', 'life-during-close'],
  ),
  mutant('life-after-close', 'a request after the close fails on what is not there', (backend) => {
    let connection: { use(): void } | undefined
    const gated = withGate(backend, async () => (connection as { use(): void }).use())
    return {
      ...gated,
      async open() {
        connection = { use: () => undefined }
      },
      async close() {
        connection = undefined
      },
    }
  }),
  mutant('life-during-close', 'the close drops writes that were answered already', (backend) => {
    let isOpen = false
    const buffered = withRecords((records) => ({
      async write(write, call) {
        await tick()
        return isOpen ? records.write(write, call) : { status: 'done' }
      },
    }))(backend)
    return {
      ...buffered,
      async open() {
        isOpen = true
      },
      async close() {
        isOpen = false
      },
    }
  }),
]
