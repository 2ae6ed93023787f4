import type { Directory } from './directory.js'
import type { Route } from './route.js'

/**
 * This process's copy of the directory, with the lease under which it may be acted upon. The lease is counted from the
 * moment the fetch *began*, by this process's own clock; it is longer only once a later fetch showed the same version of the same text.
 */
export class Snapshot {
  /** What was fetched. */
  readonly directory: Directory
  /** The version that the backend gave it. */
  readonly version: string
  readonly #text: string
  #validUntilMs: number

  constructor(directory: Directory, text: string, version: string, validUntilMs: number) {
    this.directory = directory
    this.#text = text
    this.version = version
    this.#validUntilMs = validUntilMs
  }

  /** The route of a key; undefined when it is cold. */
  route(key: string): Route | undefined {
    return this.directory.routes.size === 0 ? undefined : this.directory.routes.get(key)
  }

  /** Whether the lease still holds. */
  isValidAt(nowMs: number): boolean {
    return nowMs < this.#validUntilMs
  }

  /** Whether this is a copy of that very document. A store that was lost and made anew may give the same version to another text. */
  isOf(text: string, version: string): boolean {
    return version === this.version && text === this.#text
  }

  /** A later fetch showed this very document. */
  extendTo(validUntilMs: number): void {
    this.#validUntilMs = Math.max(this.#validUntilMs, validUntilMs)
  }
}
