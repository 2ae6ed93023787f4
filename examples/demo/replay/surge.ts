/** A surge without a new sign for so long is over. */
const quietMs = 1_000

/** One key's surge. */
interface KeySurge {
  /** When its first sign was seen. */
  readonly beganAtMs: number
  /** When its last sign was seen. */
  readonly seenAtMs: number
}

/**
 * How long it takes until a surge is answered. A key is in a surge from the moment at which it is asked for more writes in a
 * second than a partition has write units, or its write is throttled, until a second has passed without either. What answers
 * it is a spread write: one acknowledged by a shard that is not the key itself. Measured on the surge that is answered first.
 */
export class Surge {
  readonly #surges = new Map<string, KeySurge>()
  #answer: { readonly key: string; readonly afterMs: number } | undefined

  /** A key is asked for more than a partition has, or was throttled. */
  sign(key: string, nowMs: number): void {
    if (this.#answer !== undefined) return
    const surge = this.#surges.get(key)
    const isOn = surge !== undefined && nowMs - surge.seenAtMs <= quietMs
    this.#surges.set(key, { beganAtMs: isOn ? surge.beganAtMs : nowMs, seenAtMs: nowMs })
  }

  /** A spread write of a key was acknowledged. Returns whether the measurement is over: only the first one in a surge counts. */
  spreadWrite(key: string, nowMs: number): boolean {
    const surge = this.#surges.get(key)
    if (this.#answer === undefined && surge !== undefined && nowMs - surge.seenAtMs <= quietMs) {
      this.#answer = { key, afterMs: nowMs - surge.beganAtMs }
      this.#surges.clear()
    }
    return this.#answer !== undefined
  }

  /** The key whose surge was answered first, and how long after it had begun; undefined while there is none. */
  get answer(): { readonly key: string; readonly afterMs: number } | undefined {
    return this.#answer
  }
}
