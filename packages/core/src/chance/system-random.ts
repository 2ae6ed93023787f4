import { randomFillSync } from 'node:crypto'

import type { Random } from './random.js'

const drawnMax = 256

/** The machine's own randomness. Ids are made from it, so it is the cryptographic source, drawn 256 numbers at a time. */
export class SystemRandom implements Random {
  readonly #drawn = new Uint32Array(drawnMax)
  #used = drawnMax

  next(): number {
    if (this.#used === drawnMax) {
      randomFillSync(this.#drawn)
      this.#used = 0
    }
    const value = this.#drawn[this.#used] ?? 0
    this.#used += 1
    return value / 4_294_967_296
  }
}
