import { SpillwayError } from './spillway-error.js'

/** The client has been closed, or closes: nothing was sent. */
export class ClosedError extends SpillwayError {
  constructor(what: string) {
    super(
      'CLOSED',
      `${what} was called on a closed client. Nothing was sent; create a new client with createClient().`,
      { retryable: false, stage: 'admission' },
    )
    this.name = 'ClosedError'
  }
}
