import { Agent, request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'

import type { Answer } from './answers.js'

/** Whose request this is: engines look at who signed it, and at nothing else of it. */
export interface Signature {
  readonly authorization: string
  readonly 'x-amz-date': string
}

/** The signature of a request that came in, or one that local engines accept. */
export function signatureOf(headers: IncomingHttpHeaders): Signature {
  const date = headers['x-amz-date']
  return {
    authorization:
      headers.authorization ??
      'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0',
    'x-amz-date': typeof date === 'string' ? date : '20260101T000000Z',
  }
}

/** Speaks to the engine behind the gateway. */
export class EngineClient {
  readonly #endpoint: URL
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 256 })

  constructor(endpoint: string) {
    this.#endpoint = new URL(endpoint)
  }

  /** Sends one operation. Rejects when the engine cannot be reached. */
  send(operation: string, input: object, signature: Signature): Promise<Answer> {
    const body = JSON.stringify(input)
    const headers = {
      ...signature,
      'content-type': 'application/x-amz-json-1.0',
      'content-length': Buffer.byteLength(body),
      'x-amz-target': `DynamoDB_20120810.${operation}`,
    }
    return new Promise((resolve, reject) => {
      const outgoing = request(this.#endpoint, { method: 'POST', agent: this.#agent, headers }, (incoming) => {
        textOf(incoming).then(
          (text) => resolve({ status: incoming.statusCode ?? 500, body: JSON.parse(text || '{}') as Answer['body'] }),
          reject,
        )
      })
      outgoing.on('error', reject)
      outgoing.end(body)
    })
  }

  /** Hangs up. */
  close(): void {
    this.#agent.destroy()
  }
}

/** The whole of what somebody sends. Rejects when it breaks off. */
export async function textOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}
