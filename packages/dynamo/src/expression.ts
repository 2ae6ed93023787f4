import type { AttributeValue } from '@aws-sdk/client-dynamodb'

/** The expressions of an UpdateItem in the making. Every name goes by a placeholder: reserved words and dots mean nothing. */
export class Expression {
  readonly #placeholders = new Map<string, string>()
  readonly #names: Record<string, string> = {}
  readonly #values: Record<string, AttributeValue> = {}
  readonly #choices: string[] = []
  #valueCount = 0
  #condition = ''
  #set = ''
  #add = ''
  #remove = ''

  /** The placeholder of an attribute's name. */
  name(attribute: string): string {
    const known = this.#placeholders.get(attribute)
    if (known !== undefined) return known
    const placeholder = `#${this.#placeholders.size.toString(36)}`
    this.#placeholders.set(attribute, placeholder)
    this.#names[placeholder] = attribute
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
    this.#condition += this.#condition === '' ? condition : ` AND ${condition}`
  }

  /**
   * One of these must hold, beside all conditions. Each may hold an AND, which goes before OR, and no parentheses: parsers of
   * engines at home take exponential time for what is nested.
   */
  requireAny(...alternatives: readonly string[]): void {
    this.#choices.push(alternatives.join(' OR '))
  }

  /** Sets an attribute. */
  set(attribute: string, value: AttributeValue): void {
    this.#set += `${this.#set === '' ? 'SET ' : ', '}${this.name(attribute)} = ${this.value(value)}`
  }

  /** Adds to a number or to a set. */
  add(attribute: string, value: AttributeValue): void {
    this.#add += `${this.#add === '' ? ' ADD ' : ', '}${this.name(attribute)} ${this.value(value)}`
  }

  /** Takes an attribute out. */
  remove(attribute: string): void {
    this.#remove += `${this.#remove === '' ? ' REMOVE ' : ', '}${this.name(attribute)}`
  }

  /** Whether nothing would be changed. */
  get isEmpty(): boolean {
    return this.#set === '' && this.#add === '' && this.#remove === ''
  }

  /** What goes into the request. Without a condition nothing is said of one. */
  input() {
    const condition = this.#wholeCondition()
    return {
      UpdateExpression: (this.#set + this.#add + this.#remove).trimStart(),
      ExpressionAttributeNames: this.#names,
      ...(this.#valueCount > 0 && { ExpressionAttributeValues: this.#values }),
      ...(condition !== '' && {
        ConditionExpression: condition,
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
      }),
    }
  }

  /** A choice that stands alone needs no parentheses, and DynamoDB takes none that are not needed. */
  #wholeCondition(): string {
    const [first] = this.#choices
    if (first === undefined) return this.#condition
    if (this.#choices.length === 1 && this.#condition === '') return first
    const choices = `(${this.#choices.join(') AND (')})`
    return this.#condition === '' ? choices : `${this.#condition} AND ${choices}`
  }
}
