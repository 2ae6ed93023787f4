import { foreignSource, itemSource, routeSource } from './items.js'
import { Script } from './script.js'

/**
 * Reads the item of one sort value. KEYS: the place. ARGV: the head; the type's letter and the sort value.
 * Answers with the item's member or false, and the place's route or false.
 */
export const findItemScript = new Script(`
local key = KEYS[1]
${foreignSource}
${itemSource}
${routeSource}
local refusal, route = foreign(key, ARGV[1], true)
if refusal then return refusal end
if route ~= nil then return {false, route} end
return {itemAt(key, ARGV[2]) or false, routeAt(key) or false}
`)
