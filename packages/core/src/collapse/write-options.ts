/** How a caller may write. */
export interface WriteOptions {
  /** Ends the waiting of this caller; a change that has been accepted is written all the same. */
  readonly signal?: AbortSignal
  /**
   * `written` resolves once the change is durable in the backend. `buffered` resolves once it is accepted: without
   * `ClientOptions.spool` it is lost if the process dies before it is written; with one it is on disk by then, survives the
   * process, and rejects with `SPOOL` or `LIMIT_REACHED` when the disk does not take it. @default 'written'
   */
  readonly ack?: 'written' | 'buffered'
}
