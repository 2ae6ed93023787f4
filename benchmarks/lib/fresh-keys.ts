/** One string object, whose hash V8 has seen, for each of `count` calls. */
export function sameString(text: string, count: number): () => readonly string[] {
  const keys = Array.from({ length: count }, () => text)
  return () => keys
}

/**
 * Keys as they come out of requests: `count` new strings at each call, whose hash V8 has not seen yet. Goes through `texts`,
 * all of one length, and begins again. Making them is not to be measured.
 */
export function newStrings(texts: readonly string[], count: number): () => readonly string[] {
  const length = texts[0]?.length ?? 0
  const bytes = Buffer.from(texts.join(''), 'latin1')
  let at = 0
  return () =>
    Array.from({ length: count }, () => {
      if (at >= bytes.length) at = 0
      at += length
      return bytes.toString('latin1', at - length, at)
    })
}

/** `count` different texts of 22 characters, from number `from` on. */
export function keyTexts(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, i) => {
    const scrambled = String(((from + i) * 48_271) % 999_983).padStart(9, '0')
    return `user:${scrambled}${String(from + i).padStart(8, '0')}`
  })
}
