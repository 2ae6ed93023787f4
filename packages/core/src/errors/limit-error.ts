import { SpillwayError } from './spillway-error.js'

/** A bound of `limits` is reached and its policy is to refuse: nothing was sent. */
export class LimitReachedError extends SpillwayError {
  /** The option that bounds it, such as `limits.keysMax`. */
  readonly limit: string
  /** The bound itself. */
  readonly max: number

  constructor(limit: string, max: number, key: string | undefined) {
    super(
      'LIMIT_REACHED',
      `${limit} = ${max} is reached. Nothing was sent; slow down, raise ${limit}, or let callers wait with limits.atLimit: 'wait'.`,
      {
        retryable: true,
        key,
        stage: 'admission',
      },
    )
    this.name = 'LimitReachedError'
    this.limit = limit
    this.max = max
  }
}
