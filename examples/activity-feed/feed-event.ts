import { InvalidArgumentError } from '@spillway/core'

/** What somebody did. */
export interface FeedEvent {
  /** Who. 1 to 200 characters, as the next two. */
  readonly actor: string
  /** What it was that was done, such as `edited`. */
  readonly verb: string
  /** To what. */
  readonly object: string
  /** What else there is to say, as an object of JSON. */
  readonly details?: Readonly<Record<string, unknown>>
}

const eventsMax = 1_000
const textCharactersMax = 200
const names = ['actor', 'verb', 'object'] as const

/** The value of a text in JSON. Throws `InvalidArgumentError` for what is none. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new InvalidArgumentError('body', 'JSON', text)
  }
}

/** The events of a body, which is one of them or an array. Throws `InvalidArgumentError` for the first that is none. */
export function eventsOf(body: unknown): readonly FeedEvent[] {
  const given: readonly unknown[] = Array.isArray(body) ? body : [body]
  if (given.length === 0 || given.length > eventsMax)
    throw new InvalidArgumentError('events', `1 to ${eventsMax} of them`, given)
  return given.map((event, i) => eventOf(event, `events[${i}]`))
}

function eventOf(given: unknown, path: string): FeedEvent {
  if (!isObject(given)) throw new InvalidArgumentError(path, `an object with ${names.join(', ')}`, given)
  const { actor, verb, object, details, ...unknown } = given
  const [extra] = Object.keys(unknown)
  if (extra !== undefined) throw new InvalidArgumentError(`${path}.${extra}`, 'left out, or a part of details', extra)
  const event = { actor, verb, object }
  for (const name of names) {
    const text = event[name]
    if (typeof text !== 'string' || text === '' || text.length > textCharactersMax)
      throw new InvalidArgumentError(`${path}.${name}`, `a string of 1 to ${textCharactersMax} characters`, text)
  }
  if (details === undefined) return event as FeedEvent
  if (isObject(details)) return { ...event, details } as FeedEvent
  throw new InvalidArgumentError(`${path}.details`, 'an object', details)
}

function isObject(given: unknown): given is Readonly<Record<string, unknown>> {
  return typeof given === 'object' && given !== null && !Array.isArray(given)
}
