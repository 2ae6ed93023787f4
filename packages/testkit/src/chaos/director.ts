// Problem: routes change when keys heat up and cool down, which is seldom beside what faults do in the same minute.
// Scheme: now and then somebody announces more shards for a hot key, or begins to drain it, by the directory alone. All that
//   follows is left to the clients.
// Invariants: the steps of docs/routing.md, each by one compare-and-swap: a revision and a generation that nobody has had.
// Cost: a read and a swap of the directory.
// Source: docs/routing.md

import type { ChaosDirectory } from './chaos-client.js'

type RouteTuple = [
  key: string,
  phase: string,
  read: number,
  write: number,
  generations: [number: number, nonce: number][],
  writeHistory: number[],
  revision: number,
]

interface Document {
  counter: number
  routes: RouteTuple[]
}

/** Who changes a directory on behalf of nobody. */
export interface DirectorParts {
  readonly directory: ChaosDirectory
  readonly draw: () => number
  readonly wallMs: () => number
}

/**
 * Makes one step for one key, as it is stored: towards `fanoutOf` the shards that it is written to now. Answers with which; or
 * undefined when that is no other number, when another step is under way, or when somebody else was first.
 */
export async function direct(
  parts: DirectorParts,
  key: string,
  fanoutOf: (write: number) => number,
): Promise<'announced' | 'draining' | undefined> {
  const { directory } = parts
  const call = { signal: new AbortController().signal }
  const { text, version } = await directory.read(call)
  if (text === undefined) return undefined
  const document = JSON.parse(text) as Document
  const before = document.routes.find(([name]) => name === key) ?? [key, 'cold', 1, 1, [], [1], 0]
  const [, phase, , write] = before
  const fanout = fanoutOf(write)
  if (fanout === write || (phase !== 'cold' && phase !== 'active')) return undefined
  const step = fanout > write ? 'announced' : 'draining'
  const next = fanout > write ? announced(parts, document, before, fanout) : draining(document, before, fanout)
  const routes = [...document.routes.filter((route) => route !== before), next]
  const swapped = await directory.swap(version, JSON.stringify({ ...document, counter: next[6], routes }), call)
  return swapped === undefined ? undefined : step
}

/** Another fanout than `write`, up to a bound; more often less than more. */
export function otherFanout(write: number, fanoutMax: number, draw: () => number): number {
  const grows = write < fanoutMax && (write === 1 || draw() < 0.4)
  const doublings = Math.log2(grows ? fanoutMax / write : write)
  const factor = 2 ** (1 + Math.floor(draw() * doublings))
  return grows ? write * factor : write / factor
}

function announced(
  { draw, wallMs }: DirectorParts,
  { counter }: Document,
  [key, , , write, generations, writeHistory]: RouteTuple,
  fanout: number,
): RouteTuple {
  const number = Math.max(counter + 1, Math.floor(wallMs()))
  const grown = generations.slice(0, Math.log2(write))
  const generation: [number, number] = [number, Math.floor(draw() * 2 ** 32)]
  while (grown.length < Math.log2(fanout)) grown.push(generation)
  return [key, 'announced', fanout, write, grown, writeHistory, number + 1]
}

function draining({ counter }: Document, before: RouteTuple, fanout: number): RouteTuple {
  const [key, , read, , generations, writeHistory] = before
  const history = writeHistory.includes(fanout) ? writeHistory : [...writeHistory, fanout]
  return [key, 'draining', read, fanout, generations, history, counter + 1]
}
