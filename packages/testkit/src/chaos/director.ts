// Problem: routes change when keys heat up and cool down, which is seldom beside what faults do in the same minute.
// Scheme: now and then somebody announces more shards for a hot key, or begins to drain it, by the directory alone. All that
//   follows is left to the clients.
// Invariants: the steps of docs/routing.md, each by one compare-and-swap: a revision and a generation that nobody has had; a drain
//   leads to a fanout that the route has foreseen for a lease, or had before.
// Cost: a read and a swap of the directory; for a drain, two or three of them and a lease in between.
// Source: docs/routing.md

import { pause } from '../time/wait.js'
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

const call = { signal: new AbortController().signal }

interface Document {
  counter: number
  routes: RouteTuple[]
}

/** Who changes a directory on behalf of nobody. */
export interface DirectorParts {
  readonly directory: ChaosDirectory
  /** Of all clients. */
  readonly leaseMs: number
  readonly draw: () => number
  readonly wallMs: () => number
}

/**
 * Leads one key, as it is stored, towards `fanoutOf` the shards that it is written to now. Answers with the last step; or
 * undefined when that is no other number, when another step is under way, or when somebody else was first.
 */
export async function direct(
  parts: DirectorParts,
  key: string,
  fanoutOf: (write: number) => number,
): Promise<'announced' | 'draining' | undefined> {
  const before = await routeNow(parts, key)
  const [, phase, , write, , writeHistory] = before
  const fanout = fanoutOf(write)
  if (fanout === write || (phase !== 'cold' && phase !== 'active')) return undefined
  if (fanout > write)
    return (await swapped(parts, before, (document) => announced(parts, document, before, fanout))) && 'announced'
  const isForeseen = writeHistory.includes(fanout)
  const foreseen = isForeseen
    ? before
    : await swapped(parts, before, (document) => withHistory(document, before, fanout))
  if (foreseen === undefined) return undefined
  await pause(parts.leaseMs * 1.1) // somebody else may have foreseen it just before
  return (await swapped(parts, foreseen, (document) => draining(document, foreseen, fanout))) && 'draining'
}

async function read({ directory }: DirectorParts): Promise<{ readonly version: string | undefined } & Document> {
  const { text = '{"counter":0,"routes":[]}', version } = await directory.read(call)
  return { ...(JSON.parse(text) as Document), version }
}

async function routeNow(parts: DirectorParts, key: string): Promise<RouteTuple> {
  const { routes } = await read(parts)
  return routes.find(([name]) => name === key) ?? [key, 'cold', 1, 1, [], [1], 0]
}

/** Puts a route into the place of `before`; undefined when that is not there any more, or somebody else was first. */
async function swapped(
  parts: DirectorParts,
  before: RouteTuple,
  change: (document: Document) => RouteTuple,
): Promise<RouteTuple | undefined> {
  const { version, ...document } = await read(parts)
  const now = document.routes.find(([name]) => name === before[0])
  if (version === undefined || (now ?? [])[6] !== (before[6] === 0 ? undefined : before[6])) return undefined
  const next = change(document)
  const routes = [...document.routes.filter((route) => route !== now), next]
  const text = JSON.stringify({ ...document, counter: next[6], routes })
  return (await parts.directory.swap(version, text, call)) === undefined ? undefined : next
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

function withHistory({ counter }: Document, before: RouteTuple, fanout: number): RouteTuple {
  const [key, phase, read, write, generations, writeHistory] = before
  return [key, phase, read, write, generations, [...writeHistory, fanout], counter + 1]
}

function draining({ counter }: Document, before: RouteTuple, fanout: number): RouteTuple {
  const [key, , read, , generations, writeHistory] = before
  return [key, 'draining', read, fanout, generations, writeHistory, counter + 1]
}
