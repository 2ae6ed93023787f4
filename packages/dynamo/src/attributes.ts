// Problem: Spillway's own attributes stand in items that belong to somebody else, and every byte of a name is paid for in each
//   write.
// Scheme: a field has the attribute of its own name, so that existing data is adopted. Names of Spillway's own begin with `~`
//   and a letter; a field whose name begins with `~`, or is taken by the table, gets a name of Spillway's own.
// Invariants: no two fields share an attribute, and no field one with Spillway's own (the letters differ).
// Cost: 14 bytes of name and 9 of number for each writer that an item remembers: 35 of them take 805 bytes.
// Source: CapacityUnitCalculations.html, for the sizes.

/** Begins the names of Spillway's own attributes. */
export const ownMark = '~'

/** Begins the attribute of a field that cannot have its own name. */
const fieldMark = `${ownMark}f`

/** A writer's last number: a number. */
const writerMark = `${ownMark}w`

/** There once a shard is sealed: a number. */
export const sealedAttribute = `${ownMark}z`

/** The greatest number that was forgotten: a number. */
export const forgottenAttribute = `${ownMark}g`

/** Counts the changes of fields with rules of the user's own: a number. */
export const revisionAttribute = `${ownMark}r`

/** Which shards' contents have been taken in: a string. */
export const absorbedAttribute = `${ownMark}a`

/** The directory's text: a string. */
export const documentAttribute = `${ownMark}d`

/** The directory's version: a string. */
export const versionAttribute = `${ownMark}v`

/** In a `latest` field: the value as JSON. */
export const jsonPart = `${ownMark}j`

/** In a `latest` field: the stamp, as text that sorts as stamps do. */
export const stampPart = `${ownMark}s`

/** In an item of a collection: its stamp, as text that sorts as stamps do. */
export const itemStampAttribute = `${ownMark}s`

/** There in a tombstone: true. */
export const tombstoneAttribute = `${ownMark}t`

/** Where the last number of a writer stands. */
export function writerAttribute(writer: string): string {
  return writerMark + writer
}

/** Whose last number stands in an attribute; undefined for every other attribute. */
export function writerOf(attribute: string): string | undefined {
  return attribute.startsWith(writerMark) ? attribute.slice(writerMark.length) : undefined
}

/** Whether an attribute is Spillway's own, and no field's. */
export function isOwnAttribute(attribute: string): boolean {
  return attribute.startsWith(ownMark) && !attribute.startsWith(fieldMark)
}

/** Where a field stands; `taken` are the names that the table has for itself. */
export function fieldAttribute(name: string, taken: ReadonlySet<string>): string {
  return name.startsWith(ownMark) || name === '__proto__' || taken.has(name) ? fieldMark + name : name
}

/** The inverse of {@link fieldAttribute}, for what is a field's. */
export function fieldOfAttribute(attribute: string): string {
  return attribute.startsWith(fieldMark) ? attribute.slice(fieldMark.length) : attribute
}

/**
 * Where a property of a collection's item stands; `keys` are the names of the table's key. DynamoDB has no empty names, and the
 * SDK none that is `__proto__`.
 */
export function propertyAttribute(name: string, keys: ReadonlySet<string>): string {
  return isMarked(name, keys) ? fieldMark + name : name
}

/** Which property stands in an attribute; undefined for the table's key, and for what is Spillway's own in an item. */
export function propertyOf(attribute: string, keys: ReadonlySet<string>): string | undefined {
  if (keys.has(attribute) || attribute === itemStampAttribute || attribute === tombstoneAttribute) return undefined
  const name = attribute.slice(fieldMark.length)
  return attribute.startsWith(fieldMark) && isMarked(name, keys) ? name : attribute
}

function isMarked(name: string, keys: ReadonlySet<string>): boolean {
  return name === '' || name === '__proto__' || name.startsWith(ownMark) || keys.has(name)
}

/** The same inside of an attribute, where nothing is Spillway's own. */
export function nestedName(name: string): string {
  return /^(?:~f)*(?:__proto__)?$/.test(name) ? fieldMark + name : name
}

/** The inverse of {@link nestedName}. */
export function nestedProperty(name: string): string {
  return /^(?:~f)+(?:__proto__)?$/.test(name) ? name.slice(fieldMark.length) : name
}
