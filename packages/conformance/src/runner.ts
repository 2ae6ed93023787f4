/** The two functions that the kit takes from a test runner. */
export interface Runner {
  /** Groups tests. */
  describe(name: string, body: () => void): void
  /** One test; fails if the promise rejects. */
  test(name: string, body: () => Promise<void>): void
}
