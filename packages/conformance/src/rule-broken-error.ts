/** A rule does not hold for a backend. */
export class RuleBrokenError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'RuleBrokenError'
  }
}
