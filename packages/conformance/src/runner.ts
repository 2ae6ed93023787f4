/** What the kit takes from a test runner. */
export interface Runner {
  /** Groups tests. */
  describe(name: string, body: () => void): void
  /** One test; fails if the promise rejects, or after `timeoutMs`. `note` tells something about it that is no failure. */
  test(name: string, body: (note: (text: string) => void) => Promise<void>, timeoutMs: number): void
  /** Runs once all tests of the group are over. */
  afterAll(body: () => Promise<void>): void
}
