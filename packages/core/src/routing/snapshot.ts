import type { Directory } from './directory.js'
import { isSameMaking } from './heal.js'
import { isSameRoute, type Route } from './route.js'

/**
 * This process's copy of the directory, with the lease under which it may be acted upon. The lease is counted from the
 * moment the fetch *began*, by this process's own clock; it is longer only once a later fetch showed the very same routes.
 */
export class Snapshot {
  #directory: Directory
  #text: string
  #version: string
  #validUntilMs: number

  constructor(directory: Directory, text: string, version: string, validUntilMs: number) {
    this.#directory = directory
    this.#text = text
    this.#version = version
    this.#validUntilMs = validUntilMs
  }

  /** What was fetched. */
  get directory(): Directory {
    return this.#directory
  }

  /** The version that the backend gave it. */
  get version(): string {
    return this.#version
  }

  /** The route of a key; undefined when it is cold. */
  route(key: string): Route | undefined {
    return this.directory.routes.size === 0 ? undefined : this.directory.routes.get(key)
  }

  /** Whether the lease still holds. */
  isValidAt(nowMs: number): boolean {
    return nowMs < this.#validUntilMs
  }

  /**
   * Whether this is a copy of that very document: its text and, where it was read from the place that decides, its version. A
   * store that was lost and made anew may give the same version to another text.
   */
  isOf(text: string, version: string | undefined): boolean {
    return (version === undefined || version === this.#version) && text === this.#text
  }

  /**
   * A later fetch showed a document with the same routes, as when only the leader's term is another: whoever acts under this
   * lease may go on. Answers false, and changes nothing, when a route is another.
   */
  renew(directory: Directory, text: string, version: string, validUntilMs: number): boolean {
    if (!hasSameRoutes(this.#directory, directory)) return false
    this.#directory = { ...directory, routes: this.#directory.routes }
    this.#text = text
    this.#version = version
    this.extendTo(validUntilMs)
    return true
  }

  /** A later fetch showed this very document. */
  extendTo(validUntilMs: number): void {
    this.#validUntilMs = Math.max(this.#validUntilMs, validUntilMs)
  }
}

function hasSameRoutes(one: Directory, other: Directory): boolean {
  if (!isSameMaking(one, other) || one.routes.size !== other.routes.size) return false
  for (const [key, route] of one.routes) {
    const shown = other.routes.get(key)
    if (shown === undefined || !isSameRoute(route, shown)) return false
  }
  return true
}
