// Problem: what a process was told is the only thing that its store can be held against, and the process is killed at any moment.
// Scheme: a file of its own for each life of a process; a line before each operation and one behind it, each handed to the
//   system by itself.
// Invariants: an operation that may have reached the store has a line; of a life that ends at once at most the last line is cut.
// Cost: a system call a line.
// Source: none.

import { closeSync, openSync, writeSync } from 'node:fs'

import { machineMs } from '../time/elapsed.js'

/** What an operation does. */
export type Deed = 'write' | 'put' | 'delete'

/** A line of a ledger: its mark, the machine's time, and what belongs to it. */
export type LedgerLine =
  | readonly ['began', ms: number, id: string, deed: Deed, key: string, sort: string]
  | readonly ['acknowledged', ms: number, id: string]
  | readonly ['rejected', ms: number, id: string, code: string, why: string]
  | readonly ['unknown', ms: number, id: string]
  | readonly ['read', ms: number, key: string, beganMs: number, count: number]
  | readonly ['failed', ms: number, what: string, code: string, why: string]
  | readonly ['wrong', ms: number, text: string]
  | readonly ['route', ms: number, key: string, phase: string, read: number, write: number, revision: number]
  | readonly ['event', ms: number, name: string]

type Unmarked<Line> = Line extends readonly [infer Mark, number, ...infer Rest] ? readonly [Mark, ...Rest] : never

/** What one life of a process writes down. */
export class Ledger {
  readonly #file: number
  readonly #name: string
  #count = 0

  constructor(path: string, name: string) {
    this.#file = openSync(path, 'a')
    this.#name = name
  }

  /** A name for an operation that no other has. */
  nextId(): string {
    return `${this.#name}.${++this.#count}`
  }

  /** Adds a line; answers with its time. */
  note(...[mark, ...rest]: Unmarked<LedgerLine>): number {
    const ms = machineMs()
    writeSync(this.#file, `${JSON.stringify([mark, ms, ...rest])}\n`)
    return ms
  }

  /** Notes how an operation ended that has begun under this name; answers with what is known of it. */
  async outcomeOf(id: string, operation: Promise<unknown>): Promise<'acknowledged' | 'rejected' | 'unknown'> {
    try {
      await operation
    } catch (error) {
      return this.failed(id, error)
    }
    this.note('acknowledged', id)
    return 'acknowledged'
  }

  /** The same for one that failed. Only what says so of itself may have been written. */
  failed(id: string, error: unknown): 'rejected' | 'unknown' {
    const [code, why] = described(error)
    if (code === 'WRITE_UNKNOWN') {
      this.note('unknown', id)
      return 'unknown'
    }
    this.note('rejected', id, code, why)
    return 'rejected'
  }

  /** Notes that something failed which changes nothing. */
  noteFailure(what: string, error: unknown): void {
    this.note('failed', what, ...described(error))
  }

  /** No line follows. */
  close(): void {
    closeSync(this.#file)
  }
}

/** The stable code of an error, and what it says. */
function described(error: unknown): readonly [code: string, why: string] {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown }
  return [typeof code === 'string' ? code : 'no code', String(message)]
}
