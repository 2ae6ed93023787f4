import { Hash } from '@smithy/core/serde'
import { SignatureV4 } from '@smithy/signature-v4'

import type { DynamoAccess } from '../engines/dynamo-access.js'

/** A POST to the root of a service. */
export interface Signable {
  readonly endpoint: URL
  /** Every header that the signature is to cover, in lower case; `host` and `x-amz-date` (such as `20260101T000000Z`) among them. */
  readonly headers: Readonly<Record<string, string>> & { readonly 'x-amz-date': string }
  readonly body: string
}

/**
 * The headers with a signature of their own: a request that was changed on the way, and goes to another host, is no longer what
 * its sender signed. For the moment that its date names.
 */
export async function signed(
  { endpoint, headers, body }: Signable,
  { region, credentials }: DynamoAccess,
): Promise<Record<string, string>> {
  const signer = new SignatureV4({ region, credentials, service: 'dynamodb', sha256: Hash.bind(null, 'sha256') })
  const [, day, time] = /^(\d{8})T(\d{6})Z$/.exec(headers['x-amz-date']) ?? []
  const { protocol, hostname } = endpoint
  const request = { method: 'POST', protocol, hostname, path: '/', headers: { ...headers }, body }
  const signingDate = `${day?.replace(/(....)(..)(..)/, '$1-$2-$3')}T${time?.replace(/(..)(..)(..)/, '$1:$2:$3')}Z`
  return (await signer.sign(request, { signingDate })).headers
}
