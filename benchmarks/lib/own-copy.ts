/**
 * A copy of a function, with type feedback of its own. V8 keeps feedback for each function literal, so that a loop which
 * has driven five contenders inlines none of them, and that would hide how they differ. `fn` must not use anything from around it.
 */
export function ownCopy<F extends (...args: never[]) => unknown>(fn: F): F {
  // oxlint-disable-next-line no-new-func, typescript/no-implied-eval -- the text is this program's own
  return (new Function(`return (${fn.toString()})`) as () => F)()
}
