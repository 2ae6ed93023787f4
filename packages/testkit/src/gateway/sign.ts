// Problem: a request that was changed on the way, and goes to another host, is no longer what its sender signed.
// Scheme: Signature Version 4 for one POST to the root of a host, with the headers that are given.
// Invariants: the same request, moment and credentials have the same signature as in AWS's own clients.
// Cost: six hashes.
// Source: docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

import { createHash, createHmac } from 'node:crypto'

import type { DynamoAccess } from '../engines/dynamo-access.js'

/** What is signed. */
export interface Signable {
  /** Every header that the signature is to cover, in lower case; `host` and `x-amz-date` (such as `20260101T000000Z`) among them. */
  readonly headers: Readonly<Record<string, string>> & { readonly 'x-amz-date': string }
  readonly body: string
}

/** The `authorization` header for a POST to `/`. */
export function signed({ headers, body }: Signable, { region, credentials }: DynamoAccess): string {
  const names = Object.keys(headers).toSorted()
  const lines = names.map((name) => `${name}:${String(headers[name]).trim().replaceAll(/ +/g, ' ')}\n`).join('')
  const request = ['POST', '/', '', lines, names.join(';'), sha256(body)].join('\n')
  const moment = headers['x-amz-date']
  const [day] = moment.split('T') as [string]
  const scope = `${day}/${region}/dynamodb/aws4_request`
  const key = [day, region, 'dynamodb', 'aws4_request'].reduce<string | Buffer>(
    (secret, part) => hmac(secret, part),
    `AWS4${credentials.secretAccessKey}`,
  )
  const signature = hmac(key, ['AWS4-HMAC-SHA256', moment, scope, sha256(request)].join('\n')).toString('hex')
  return `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
