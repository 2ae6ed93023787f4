import type { AttributeValue } from '@aws-sdk/client-dynamodb'

/** The expressions of an UpdateItem in the making. Every name goes by a placeholder: reserved words and dots mean nothing. */
export class Expression {
  readonly #names = new Map<string, string>()
  readonly #values: Record<string, AttributeValue> = {}
  readonly #conditions: string[] = []
  readonly #set: string[] = []
  readonly #add: string[] = []
  readonly #remove: string[] = []
  #valueCount = 0

  /** The placeholder of an attribute's name. */
  name(attribute: string): string {
    let placeholder = this.#names.get(attribute)
    if (placeholder === undefined) {
      placeholder = `#${this.#names.size.toString(36)}`
      this.#names.set(attribute, placeholder)
    }
    return placeholder
  }

  /** The placeholder of a value. */
  value(value: AttributeValue): string {
    const placeholder = `:${(this.#valueCount++).toString(36)}`
    this.#values[placeholder] = value
    return placeholder
  }

  /** All conditions must hold. */
  require(condition: string): void {
    this.#conditions.push(condition)
  }

  /** Sets an attribute. */
  set(attribute: string, value: AttributeValue): void {
    this.#set.push(`${this.name(attribute)} = ${this.value(value)}`)
  }

  /** Adds to a number or to a set. */
  add(attribute: string, value: AttributeValue): void {
    this.#add.push(`${this.name(attribute)} ${this.value(value)}`)
  }

  /** Takes an attribute out. */
  remove(attribute: string): void {
    this.#remove.push(this.name(attribute))
  }

  /** Whether nothing would be changed. */
  get isEmpty(): boolean {
    return this.#set.length + this.#add.length + this.#remove.length === 0
  }

  /** What goes into the request. */
  input() {
    const clauses = [clause('SET', this.#set), clause('ADD', this.#add), clause('REMOVE', this.#remove)]
    return {
      UpdateExpression: clauses.filter((text) => text !== '').join(' '),
      ...(this.#conditions.length > 0 && { ConditionExpression: this.#conditions.join(' AND ') }),
      ExpressionAttributeNames: Object.fromEntries([...this.#names].map(([name, placeholder]) => [placeholder, name])),
      ...(this.#valueCount > 0 && { ExpressionAttributeValues: this.#values }),
    }
  }
}

function clause(verb: string, actions: readonly string[]): string {
  return actions.length === 0 ? '' : `${verb} ${actions.join(', ')}`
}
