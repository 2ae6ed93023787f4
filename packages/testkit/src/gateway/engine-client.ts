import { Agent, request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { Agent as SecureAgent, request as secureRequest } from 'node:https'

import type { DynamoAccess } from '../engines/dynamo-access.js'
import type { Answer } from './answers.js'
import { signed } from './sign.js'

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
  readonly #access: DynamoAccess | undefined
  readonly #agent: Agent

  /** With `access`, requests are signed anew: a service that looks at signatures would refuse what was signed for the gateway. */
  constructor(endpoint: string, access: DynamoAccess | undefined) {
    this.#endpoint = new URL(endpoint)
    this.#access = access
    const options = { keepAlive: true, maxSockets: 256 }
    this.#agent = this.#isSecure() ? new SecureAgent(options) : new Agent(options)
  }

  /** Sends one operation. Rejects when the engine cannot be reached. */
  async send(operation: string, input: object, signature: Signature): Promise<Answer> {
    const body = JSON.stringify(input)
    const headers = {
      'content-type': 'application/x-amz-json-1.0',
      'content-length': Buffer.byteLength(body),
      ...(await this.#signed(`DynamoDB_20120810.${operation}`, body, signature)),
    }
    const start = this.#isSecure() ? secureRequest : request
    return new Promise((resolve, reject) => {
      const outgoing = start(this.#endpoint, { method: 'POST', agent: this.#agent, headers }, (incoming) => {
        textOf(incoming).then(
          (text) => resolve({ status: incoming.statusCode ?? 500, body: JSON.parse(text || '{}') as Answer['body'] }),
          reject,
        )
      })
      outgoing.on('error', reject)
      outgoing.end(body)
    })
  }

  async #signed(target: string, body: string, signature: Signature): Promise<Record<string, string>> {
    if (this.#access === undefined) return { ...signature, 'x-amz-target': target }
    const headers = {
      host: this.#endpoint.host,
      'x-amz-date': signature['x-amz-date'],
      'x-amz-target': target,
    }
    return signed({ endpoint: this.#endpoint, headers, body }, this.#access)
  }

  #isSecure(): boolean {
    return this.#endpoint.protocol === 'https:'
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
