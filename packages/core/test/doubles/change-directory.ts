import type { Backend } from '../../src/index.js'

/** Another client's change of the directory: the same routes under another counter, so that no lease is prolonged. */
export async function changeDirectory({ directory }: Backend): Promise<void> {
  const call = { signal: new AbortController().signal }
  const { text, version } = await directory.read(call)
  if (text === undefined) throw new RangeError('there is no directory')
  const document = JSON.parse(text) as { readonly counter: number }
  await directory.swap(version, JSON.stringify({ ...document, counter: document.counter + 1 }), call)
}
