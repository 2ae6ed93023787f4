import type { Backend } from '../../src/index.js'

/** Another client's change of the directory, of another key's route, so that no lease is prolonged. */
export async function changeDirectory({ directory }: Backend): Promise<void> {
  const call = { signal: new AbortController().signal }
  const { text, version } = await directory.read(call)
  if (text === undefined) throw new RangeError('there is no directory')
  const document = JSON.parse(text) as { readonly counter: number; readonly routes: readonly unknown[] }
  const counter = document.counter + 1
  const routes = [...document.routes, [`other-${counter}`, 'cold', 1, 1, [], [1], counter]]
  await directory.swap(version, JSON.stringify({ ...document, counter, routes }), call)
}
