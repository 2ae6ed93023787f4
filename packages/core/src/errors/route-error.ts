import { SpillwayError } from './spillway-error.js'

/** The lease on the routes has run out and no refresh came in time: nothing was sent. */
export class RouteUnavailableError extends SpillwayError {
  constructor(cause: unknown) {
    super(
      'ROUTE_UNAVAILABLE',
      "The directory of routes could not be refreshed before the lease ended, so it is not known where keys' shards are. Nothing was sent.",
      {
        retryable: true,
        stage: 'routing',
        cause,
      },
    )
    this.name = 'RouteUnavailableError'
  }
}

/** The directory in the backend was made with other values than this client's options, and they must be the same for all. */
export class DirectoryMismatchError extends SpillwayError {
  constructor(option: string, expected: unknown, given: unknown) {
    super(
      'DIRECTORY_MISMATCH',
      `${option} must be the same for every client of a backend: the directory says ${String(expected)}, this client's options say ${String(given)}.`,
      {
        retryable: false,
        stage: 'routing',
      },
    )
    this.name = 'DirectoryMismatchError'
  }
}
