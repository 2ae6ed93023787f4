import { randomBytes } from 'node:crypto'

/** Ten characters that nobody else draws: 60 random bits. */
export function nonce(): string {
  return randomBytes(8).toString('base64url').slice(0, 10)
}
