// Problem: a store may forget the change of the directory that made a key's route active, with nobody left who remembers it;
//   then every read of the key would miss what stands in its other shards.
// Scheme: before a route becomes active, shard 0 is stamped with it. Every read of the key reads shard 0, and one that finds a
//   stamp which its directory lacks has the route written back before it is answered.
// Invariants: the stamp holds the route as it is about to be; it is made only once the route may become active (rule
//   announce-wait), so whoever writes it back may do so at once; all who stamp one announcement make the same stamp.
// Cost: one request to shard 0 for each growth, and only in stores that may forget (`RecordStore.stampRoute`).
// Source: docs/routing.md, «When the store itself forgets».

import type { RouteStamp } from '../backend/backend.js'
import type { Directory } from './directory.js'
import { parseRoute, routeText } from './directory-document.js'
import { activate } from './phases.js'
import type { Route } from './route.js'

/** The stamp of an announced route. Its revision lies between that of the announcement and whichever the active route will draw. */
export function stampOf(announced: Route): RouteStamp {
  const route = activate(announced, announced.revision + 1)
  return { revision: route.revision, text: routeText(route) }
}

/**
 * Whether a directory has forgotten what a stamp of the key says. The stamp of a route that it still shows as announced says
 * nothing new: reads cover all shards of it already, and it becomes active once the stamp is acknowledged, not before.
 */
export function isForgotten(directory: Directory, key: string, stamp: RouteStamp): boolean {
  const route = directory.routes.get(key)
  if (route === undefined) return true
  if (stamp.revision <= route.revision) return false
  return route.phase !== 'announced' || stampOf(route).text !== stamp.text
}

/** The route that a stamp holds. Throws `BackendError` of kind `invalid` when it holds none. */
export function routeOf(key: string, stamp: RouteStamp): Route {
  return parseRoute(key, stamp.text, stamp.revision)
}
