// Limits of DynamoDB, each with its page in docs.aws.amazon.com/amazondynamodb/latest/developerguide unless said otherwise.

/** The longest partition key in bytes: ServiceQuotas.html. */
export const partitionKeyBytesMax = 2_048

/** The longest sort key in bytes: ServiceQuotas.html. */
export const sortKeyBytesMax = 1_024

/** The most bytes of an item as JSON: it has 400 KB with its key and all names, in which lists of numbers take up to half as much again. What does not fit all the same is DynamoDB's to refuse. */
export const itemBytesMax = 350 * 1_024

/** A Query has no such limit; a page of its 1 MB is rarely more: Query.Pagination.html. */
export const itemsPerPageMax = 1_000

/** The most items of one BatchWriteItem, whose 16 MB hold as many of the largest: ServiceQuotas.html. */
export const itemsPerBatchMax = 25

/** So often a put or delete is tried whose condition fails although nothing newer is found. */
export const itemRoundsMax = 4

/** The most keys of one BatchGetItem: ServiceQuotas.html, API_BatchGetItem.html. */
export const keysPerBatchMax = 100

/** The most bytes of a change: an item has 400 KB with all its names (ServiceQuotas.html); the rest is for what the item holds beside it. */
export const changeBytesMax = 350 * 1_024

/** Numbers have 38 digits: HowItWorks.NamingRulesDataTypes.html. */
export const integerMax = 10n ** 38n - 1n

/** Numbers reach up to 9.99…E+125: HowItWorks.NamingRulesDataTypes.html. */
export const magnitudeMax = 1e126

/** The greatest number that is said to be taken: of what is below `magnitudeMax` the one that the core takes for a sort value. */
export const numberMost = 9.99e125

/** Numbers reach down to 1E-130: HowItWorks.NamingRulesDataTypes.html. */
export const magnitudeMin = 1e-130

/** Write units that one partition serves a second: bp-partition-key-design.html. */
export const writeUnitsPerSecond = 1_000

/** Read units that one partition serves a second: bp-partition-key-design.html. */
export const readUnitsPerSecond = 3_000

/**
 * So many max, min and latest fields are written without a look at what is stored. An expression has 4 KB and 300 operators
 * (ServiceQuotas.html; conditions, too: scylladb/scylladb#14473): such a `latest` takes about 100 bytes and 8 operators.
 */
export const looseFieldsMax = 32

/** So many of them one write takes at all: under what was read each needs at most 36 bytes and 4 operators. */
export const conditionalFieldsMax = 64

/** So many attributes one request takes out: 6 bytes each of the 4 KB that an expression has. */
export const removedAtOnceMax = 512

/** So many dedupe entries one housekeeping write takes out: two operators each, far within the 300. */
export const forgottenAtOnceMax = 64

/** So often a write is tried again because its condition failed; each time but for rivals' writes it has one field less. */
export const roundsMax = 64

/**
 * A batch that brought so many bytes may have been cut off for its size: it ends at 16 MB, and at 1 MB of one partition, and the
 * item that did not fit has up to 400 KB (API_BatchGetItem.html).
 */
export const largeBatchBytes = 512 * 1_024
