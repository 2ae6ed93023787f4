/** An engine that could not be started, or ended too soon. The demo ends with exit code 1. */
export class EngineError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'EngineError'
  }
}
