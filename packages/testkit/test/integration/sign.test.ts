import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb'
import { startDynalite, startGateway } from '@spillway/testkit'
import { afterEach, expect, test, vi } from 'vitest'

import { signed } from '../../src/gateway/sign.js'

const access = {
  region: 'eu-central-1',
  credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a secret', sessionToken: 'a token' },
}

interface Caught {
  readonly endpoint: string
  readonly requests: { readonly headers: IncomingHttpHeaders; readonly body: string }[]
  close(): void
}

/** What the gateway asks first. */
const table = {
  KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
  AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
}

/** A service that keeps what it is sent, and knows a table and no item. */
async function catcher(): Promise<Caught> {
  const requests: Caught['requests'] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const isAboutTable = String(request.headers['x-amz-target']).endsWith('.DescribeTable')
      if (!isAboutTable) requests.push({ headers: request.headers, body })
      response.end(JSON.stringify(isAboutTable ? { Table: table } : {}))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { endpoint: `http://127.0.0.1:${port}`, requests, close: () => server.close().closeAllConnections() }
}

/** What a request must be signed with, going by the headers that its own signature names. */
async function expectedOf({ endpoint, requests }: Caught): Promise<string | undefined> {
  const [{ headers, body }] = requests as [Caught['requests'][number]]
  const names = /SignedHeaders=([^,]+)/.exec(headers.authorization ?? '')?.[1]?.split(';') ?? []
  const covered = Object.fromEntries(names.map((name) => [name, String(headers[name])]))
  const moment = String(headers['x-amz-date'])
  const request = { endpoint: new URL(endpoint), headers: { ...covered, 'x-amz-date': moment }, body }
  return (await signed(request, access)).authorization
}

async function get(endpoint: string): Promise<void> {
  const client = new DynamoDBClient({ endpoint, ...access })
  await client.send(new GetItemCommand({ TableName: 't', Key: { pk: { S: 'ключ' } } }))
  client.destroy()
}

afterEach(() => vi.unstubAllEnvs())

test('a signature is the one that the AWS SDK makes', async () => {
  const service = await catcher()
  await get(service.endpoint)
  service.close()
  const [request] = service.requests
  expect(request!.headers.authorization).toBe(await expectedOf(service))
  expect(request!.headers.authorization).toContain('SignedHeaders=')
})

test('what passes the gateway on its way to a named service is signed anew, for that service', async () => {
  const service = await catcher()
  vi.stubEnv('SPILLWAY_DYNAMODB_ENDPOINT', service.endpoint)
  vi.stubEnv('AWS_REGION', access.region)
  vi.stubEnv('AWS_ACCESS_KEY_ID', access.credentials.accessKeyId)
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', access.credentials.secretAccessKey)
  vi.stubEnv('AWS_SESSION_TOKEN', access.credentials.sessionToken)
  const engine = await startDynalite()
  const gateway = await startGateway({ endpoint: engine.endpoint })
  await get(gateway.endpoint)
  await gateway.close()
  service.close()
  const [request] = service.requests
  expect(request!.headers.host).toBe(new URL(service.endpoint).host)
  expect(request!.headers['x-amz-security-token']).toBe('a token')
  expect(JSON.parse(request!.body)).toMatchObject({ ReturnConsumedCapacity: 'TOTAL' })
  expect(request!.headers.authorization).toBe(await expectedOf(service))
  expect(request!.headers.authorization).toContain(
    'SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token;x-amz-target,',
  )
})
