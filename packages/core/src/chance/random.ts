/** The only source of chance in the core. Injected, so that every schedule can be replayed from a seed. */
export interface Random {
  /** A number in [0, 1), with at least 32 random bits. */
  next(): number
}

/** A whole number in [0, 2^32). */
export function randomUint32(random: Random): number {
  return Math.floor(random.next() * 4_294_967_296) >>> 0
}
