import { SpillwayError } from './spillway-error.js'

/** A bound is reached: nothing was sent. */
export class LimitReachedError extends SpillwayError {
  /** What bounds it, such as `limits.keysMax`. */
  readonly limit: string
  /** The bound itself. */
  readonly max: number

  constructor(limit: string, max: number, key: string | undefined, advice: string) {
    const where = key === undefined ? '' : ` for key ${JSON.stringify(key)}`
    super('LIMIT_REACHED', `${limit} = ${max} is reached${where}. Nothing was sent. ${advice}`, {
      retryable: true,
      key,
      stage: 'admission',
    })
    this.name = 'LimitReachedError'
    this.limit = limit
    this.max = max
  }
}

/** The key's open window has no room for the change: it would not fit into one write. */
export class WindowFullError extends LimitReachedError {
  constructor(bytesMax: number, key: string) {
    super("the backend's changeBytesMax", bytesMax, key, 'Write it again once the changes before it are written.')
  }
}
