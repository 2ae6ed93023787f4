import type { EngineClient, Signature } from './engine-client.js'

/** A key's attributes by their names. */
export type Key = Readonly<Record<string, unknown>>

/** How the tables of an engine are keyed: asked for once a table. */
export class KeySchemas {
  readonly #engine: EngineClient
  readonly #known = new Map<string, KeySchema>()

  constructor(engine: EngineClient) {
    this.#engine = engine
  }

  /** Undefined for a table that there is not: the engine will say so itself. */
  async of(table: string, signature: Signature): Promise<KeySchema | undefined> {
    const known = this.#known.get(table)
    if (known !== undefined) return known
    const { body } = await this.#engine.send('DescribeTable', { TableName: table }, signature)
    const { KeySchema: keys = [] } = (body['Table'] ?? {}) as {
      readonly KeySchema?: readonly { readonly AttributeName: string; readonly KeyType: string }[]
    }
    const nameOf = (type: string) => keys.find(({ KeyType }) => KeyType === type)?.AttributeName
    const partition = nameOf('HASH')
    if (partition === undefined) return undefined
    const schema = new KeySchema(table, partition, nameOf('RANGE'))
    this.#known.set(table, schema)
    return schema
  }
}

/** How one table is keyed. */
export class KeySchema {
  readonly #table: string
  /** The attribute of its partition key. */
  readonly partition: string
  /** The attribute of its sort key, if it has one. */
  readonly sort: string | undefined

  constructor(table: string, partition: string, sort: string | undefined) {
    this.#table = table
    this.partition = partition
    this.sort = sort
  }

  /** The key of an item, as text: who writes it takes turns. */
  textOf(item: Key): string {
    return `${this.laneOf(item[this.partition])} ${JSON.stringify(this.sort === undefined ? '' : item[this.sort])}`
  }

  /** What decides about the partition: items under one partition key lie together. */
  laneOf(partitionValue: unknown): string {
    return `${this.#table} ${JSON.stringify(partitionValue)}`
  }

  /** The key alone, of an item with all its attributes. */
  keyIn(item: Key): Key {
    const key = { [this.partition]: item[this.partition] }
    return this.sort === undefined ? key : { ...key, [this.sort]: item[this.sort] }
  }

  /** The partition key that a Query asks for; undefined where it does not name one by `=`. */
  queried(input: Key): unknown {
    const names = (input['ExpressionAttributeNames'] ?? {}) as Readonly<Record<string, string>>
    const values = (input['ExpressionAttributeValues'] ?? {}) as Key
    const expression = (input['KeyConditionExpression'] ?? '') as string
    for (const [, name = '', value = ''] of expression.matchAll(/([#\w.-]+)\s*=\s*(:\w+)/g))
      if ((names[name] ?? name) === this.partition) return values[value]
    return undefined
  }
}
