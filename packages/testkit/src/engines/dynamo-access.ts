/** What a client signs its requests with. */
export interface DynamoAccess {
  /** The region that is signed for. */
  readonly region: string
  /** Whose signature it is. */
  readonly credentials: {
    readonly accessKeyId: string
    readonly secretAccessKey: string
    readonly sessionToken?: string
  }
}

/**
 * What clients of a test's DynamoDB sign with: AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN where
 * SPILLWAY_DYNAMODB_ENDPOINT names an engine and they are set; otherwise something that engines at home take from anybody.
 */
export function dynamoAccess(env: NodeJS.ProcessEnv = process.env): DynamoAccess {
  const anybody = { region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } }
  return namedAccess(env) ?? anybody
}

/** The same; undefined where the environment names no engine, or nobody to sign for. */
export function namedAccess(env: NodeJS.ProcessEnv = process.env): DynamoAccess | undefined {
  const accessKeyId = env['AWS_ACCESS_KEY_ID']
  const secretAccessKey = env['AWS_SECRET_ACCESS_KEY']
  if (namedEndpoint(env) === undefined || accessKeyId === undefined || secretAccessKey === undefined) return undefined
  const sessionToken = env['AWS_SESSION_TOKEN']
  const credentials = { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) }
  return { region: env['AWS_REGION'] ?? 'us-east-1', credentials }
}

/** The DynamoDB that SPILLWAY_DYNAMODB_ENDPOINT names; undefined when it names none. */
export function namedEndpoint(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const named = env['SPILLWAY_DYNAMODB_ENDPOINT']
  return named === '' ? undefined : named
}
