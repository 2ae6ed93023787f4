import type { Backend } from '@spillway/core'

/** How the kit gets a backend, and what it may do to it. Every rule opens one of its own. */
export interface Harness {
  /** A backend with an empty directory, and with nothing under keys that begin with `keyPrefix`. */
  open(): Promise<Backend> | Backend
  /** Takes down what `open` set up. */
  close?(backend: Backend): Promise<void> | void
  /** What every key begins with: for stores that are not emptied between runs. @default '' */
  readonly keyPrefix?: string
  /** Makes the store unreachable until the returned function is called. Without it, the rules about errors do not run. */
  outage?(backend: Backend): Promise<() => Promise<void> | void> | (() => Promise<void> | void)
}
