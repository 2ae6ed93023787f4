/** What a read of a key may say of its edits. */
export interface EditBounds {
  /** Edits that were acknowledged before the read began: all of them must be in it. */
  readonly least: number
}

/** Holds every read while the replay runs against the promise: it includes what was acknowledged before it began, and nothing that was not asked for. */
export class ReadBounds {
  readonly #issued = new Map<string, number>()
  readonly #acknowledged = new Map<string, number>()

  /** A write of an edit was begun. */
  issued(key: string): void {
    this.#issued.set(key, (this.#issued.get(key) ?? 0) + 1)
  }

  /** A write of an edit was acknowledged. */
  acknowledged(key: string): void {
    this.#acknowledged.set(key, (this.#acknowledged.get(key) ?? 0) + 1)
  }

  /** Must be called when a read begins. */
  begin(key: string): EditBounds {
    return { least: this.#acknowledged.get(key) ?? 0 }
  }

  /** Whether what the read says can be true. */
  holds(key: string, bounds: EditBounds, edits: number): boolean {
    return edits >= bounds.least && edits <= (this.#issued.get(key) ?? 0)
  }
}
