/** Tells one opening of shards from every other: a place in the store belongs to one generation and is never used again. */
export interface Generation {
  /** Grows with every growth of any route of the directory. 0 is the key itself. */
  readonly number: number
  /** 32 random bits, so that not even a lost directory repeats a place. */
  readonly nonce: number
}

/** One place where a part of a key's state stands. Only adapters turn it into text; those of a spread key are the same objects as long as its route is, so the text may be kept in a `WeakMap`. */
export interface ShardRef {
  /** The key as the application names it. */
  readonly key: string
  /** Which shard of the key; shard 0 is the key itself, byte for byte. */
  readonly index: number
  /** The opening that the place belongs to; {@link ownGeneration} for shard 0. */
  readonly generation: Generation
}

/** The generation of every shard 0: it has always been there. */
export const ownGeneration: Generation = Object.freeze({ number: 0, nonce: 0 })
