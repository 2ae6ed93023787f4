import { SpillwayError } from './spillway-error.js'

/**
 * Why a spool could not do what it was asked.
 *
 * - `in-use`: another client lives on it.
 * - `foreign`: it was written by something else, or by another version of Spillway.
 * - `damaged`: what is stored is not what was written.
 * - `failed`: the disk refused.
 * - `rules-changed`: what is stored does not fit the record as it is declared now.
 */
export type SpoolFailure = 'in-use' | 'foreign' | 'damaged' | 'failed' | 'rules-changed'

/** The spool refused. With `failed` a change that was to be buffered has not been accepted. */
export class SpoolError extends SpillwayError {
  /** Which kind of refusal it is. */
  readonly reason: SpoolFailure

  constructor(reason: SpoolFailure, message: string, fields: { readonly key?: string; readonly cause?: unknown } = {}) {
    super('SPOOL', message, { retryable: reason === 'failed' || reason === 'in-use', stage: 'spool', ...fields })
    this.name = 'SpoolError'
    this.reason = reason
  }
}
