import { resolve } from 'node:path'

import { InvalidArgumentError, type Spool } from '@spillway/core'

import { LmdbSpool } from './lmdb-spool.js'

/** Where a spool is kept, and how much. */
export interface SpoolOptions {
  /** A folder of its own, on a local disk; made if it is not there. Relative to the working directory. */
  readonly path: string
  /** So many bytes of buffered changes are kept; beyond, a buffered write rejects with `LIMIT_REACHED`. The disk needs about twice as many. 65,536 to 1 GiB: the next start takes them all into memory. @default 67_108_864 */
  readonly bytesMax?: number
}

const names = ['path', 'bytesMax']
const bytesLeast = 65_536
const bytesMost = 1_073_741_824

/**
 * A spool in a folder of the local disk: `createClient({ backend, spool: spool({ path: './spool' }) })`. Each client needs one of
 * its own. Throws `INVALID_ARGUMENT`; `createClient` rejects with `SPOOL` when the folder is in use by another client, or
 * holds something else or something damaged.
 */
export function spool(options: SpoolOptions): Spool {
  if (typeof options !== 'object' || (options as unknown) === null)
    throw new InvalidArgumentError('spool(options)', 'an object with path', options)
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) throw new InvalidArgumentError('spool(options)', `made of ${names.join(', ')}`, name)
  }
  const { path, bytesMax = 67_108_864 } = options
  if (typeof path !== 'string' || path === '')
    throw new InvalidArgumentError('spool({ path })', 'the path of a folder', path)
  if (!Number.isInteger(bytesMax) || bytesMax < bytesLeast || bytesMax > bytesMost)
    throw new InvalidArgumentError('spool({ bytesMax })', `a whole number from ${bytesLeast} to ${bytesMost}`, bytesMax)
  return new LmdbSpool(resolve(path), bytesMax)
}
