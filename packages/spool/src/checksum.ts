import { crc32 } from 'node:zlib'

import { SpoolError } from '@spillway/core'

/** LMDB trusts what the disk gives back. A text is stored behind its checksum. */
export function sealed(text: string): string {
  return `${crc32(text).toString(16)}:${text}`
}

/** The inverse of {@link sealed}. Throws `SpoolError` when the text is not what was written. */
export function unsealed(path: string, id: number, stored: unknown): string {
  if (typeof stored === 'string') {
    const text = stored.slice(stored.indexOf(':') + 1)
    if (sealed(text) === stored) return text
  }
  throw new SpoolError(
    'damaged',
    `Entry ${id} of the spool in ${path} is not what was written: the disk has lost or changed it. Nothing was written to the backend. Keep a copy of the folder, and start on an empty one.`,
  )
}
