import type { Route } from '../routing/route.js'

/** So many keys are held of each of the two times. */
const keysMax = 1_024

/** Keys that rules declare to be hot, as long as they are declared again and again: pattern rules do so whenever a key is written. */
export class DeclaredKeys {
  #young = new Map<string, number>()
  #old: ReadonlyMap<string, number> = new Map()

  /** Keeps a key for one to two turns. Beyond 1,024 a turn, new ones are left out. */
  declare(key: string, fanout: number): void {
    if (this.#young.size < keysMax && !this.#young.has(key)) this.#young.set(key, fanout)
  }

  /** Begins another turn: what was not declared since the turn before is forgotten. */
  turn(): void {
    this.#old = this.#young
    this.#young = new Map()
  }

  /** Fanouts by key, of the keys that are spread now. */
  spreadIn(routes: ReadonlyMap<string, Route>): ReadonlyMap<string, number> {
    const spread = new Map<string, number>()
    for (const declared of [this.#old, this.#young])
      for (const [key, fanout] of declared) if ((routes.get(key)?.write ?? 1) > 1) spread.set(key, fanout)
    return spread
  }
}
