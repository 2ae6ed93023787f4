/** One step of a schedule. */
export interface Move<State> {
  readonly label: string
  /** The state that it leads to. */
  readonly state: State
  /** What a read answered that it must not; undefined for every other step. */
  readonly violation?: string
}
