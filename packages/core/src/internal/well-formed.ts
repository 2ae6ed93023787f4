/** Whether `text` can be stored as UTF-8 and come back the same: it has no lone surrogate. */
export function isWellFormed(text: string): boolean {
  return text.isWellFormed()
}
