/** What a call is refused with, thrown or rejected, as `CODE: message`; `accepted` when it is not refused. */
export async function refusalOf(call: () => unknown): Promise<string> {
  try {
    await call()
    return 'accepted'
  } catch (error) {
    const { name, code, message } = error as { name: string; code?: string; message: string }
    return `${code ?? name}: ${message}`
  }
}

/** The refusals of many calls, by what is wrong with each. */
export async function refusalsOf<T>(
  cases: Readonly<Record<string, T>>,
  call: (given: T) => unknown,
): Promise<Record<string, string>> {
  const refusals: Record<string, string> = {}
  for (const [name, given] of Object.entries(cases)) refusals[name] = await refusalOf(() => call(given))
  return refusals
}
