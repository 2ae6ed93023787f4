// Problem: a store may forget the change of the directory that made a key's route active, or took it back, with nobody left who
//   remembers it; then every read of the key would miss what stands in its other shards, or look for it where it has gone.
// Scheme: before a route becomes active, before the first shard of a draining one is sealed, and before a settled one is
//   finished, shard 0 is stamped with it. Every read of the key reads shard 0, and one that finds a stamp which its directory
//   lacks has the route written back before it is answered.
// Invariants: the stamp holds the route as it is about to be; it is made only once the route may move on (a lease after it was
//   seen), so whoever writes it back may do so at once; all who stamp one revision make the same stamp.
// Cost: one request to shard 0 for each growth and two for each merging back, and only in stores that may forget
//   (`RecordStore.stampRoute`).
// Source: docs/routing.md, «When the store itself forgets».

import type { RouteStamp } from '../backend/backend.js'
import type { Directory } from './directory.js'
import { parseRoute, routeText } from './directory-document.js'
import { activate, finish } from './phases.js'
import type { Route } from './route.js'

/**
 * The stamp of a route whose next step is due: the route as it is about to be, where it goes on by itself. Then its revision lies
 * between that of the route and whichever the next one will draw.
 */
export function stampOf(route: Route): RouteStamp {
  const stamped = goesOn(route) ? aboutToBe(route) : route
  return { revision: stamped.revision, text: routeText(stamped) }
}

/**
 * Whether a directory has forgotten what a stamp of the key says. Of a route that it still shows as announced, or as settled, the
 * stamp says nothing new: reads cover all shards of it already, and it moves on once the stamp is acknowledged, not before. A
 * key that has no route any more was cold when its route was dropped.
 */
export function isForgotten(directory: Directory, key: string, stamp: RouteStamp): boolean {
  const route = directory.routes.get(key)
  if (route === undefined) return !stamp.text.startsWith(coldText)
  if (stamp.revision <= route.revision) return false
  return !goesOn(route) || stampOf(route).text !== stamp.text
}

/** How the text of a cold route begins; every read of a key that was hot once looks at it. */
const coldText = '["cold",'

function goesOn({ phase }: Route): boolean {
  return phase === 'announced' || phase === 'settled'
}

function aboutToBe(route: Route): Route {
  return route.phase === 'announced' ? activate(route, route.revision + 1) : finish(route, route.revision + 1)
}

/** The route that a stamp holds. Throws `BackendError` of kind `invalid` when it holds none. */
export function routeOf(key: string, stamp: RouteStamp): Route {
  return parseRoute(key, stamp.text, stamp.revision)
}
