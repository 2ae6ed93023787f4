/** An argument that cannot be used: names it, its bound and what was given. The demo ends with exit code 2. */
export class ArgumentError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ArgumentError'
  }
}
