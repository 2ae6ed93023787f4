import { checkPrefix } from './admission/key-check.js'
import type { Capabilities } from './backend/backend.js'
import { InvalidArgumentError } from './errors/misuse-error.js'
import { type Field, isSameRule, type RuleKind, type Rules } from './merge/merge-rule.js'
import { RecordShape } from './merge/record-shape.js'
import type { RecordOptions, Records } from './records.js'

interface Declared {
  readonly shape: RecordShape
  readonly prefix: string
  readonly records: unknown
}

/** Knows every record of a client, so that no two of them mean different things by the same field of the same key. */
export class RecordRegistry {
  readonly #declared = new Map<string, Declared>()

  /** The record of this name: the one that is declared already, or what `build` makes. Throws `InvalidArgumentError`. */
  declare<R extends Rules>(
    name: string,
    rules: R,
    options: RecordOptions,
    capabilities: Capabilities,
    build: (shape: RecordShape, prefix: string) => Records<R>,
  ): Records<R> {
    const { prefix, dedupe } = checkedOptions(options, capabilities)
    const shape = new RecordShape(name, rules, dedupe)
    const known = this.#declared.get(name)
    if (known !== undefined) {
      requireSame(known, shape, prefix)
      return known.records as Records<R>
    }
    this.#requireFree(shape, prefix)
    requireOneCondition(shape, capabilities)
    const records = build(shape, prefix)
    this.#declared.set(name, { shape, prefix, records })
    return records
  }

  /** The fields of every record that may have this key; undefined when none may. */
  fieldsOf(key: string): readonly Field[] | undefined {
    const fields = new Map<string, Field>()
    let isKnown = false
    for (const { shape, prefix } of this.#declared.values()) {
      if (!key.startsWith(prefix)) continue
      isKnown = true
      for (const field of shape.fields) if (!fields.has(field.name)) fields.set(field.name, field)
    }
    return isKnown ? [...fields.values()] : undefined
  }

  #requireFree(shape: RecordShape, prefix: string): void {
    for (const other of this.#declared.values()) {
      const field = shape.fields.find((candidate) => other.shape.indexOf.has(candidate.name))
      if (other.prefix !== prefix || field === undefined) continue
      const expected = `made of fields that no other record under prefix ${JSON.stringify(prefix)} has`
      throw new InvalidArgumentError(
        `rules of record ${shape.name}`,
        expected,
        field.name,
        `Record ${other.shape.name} has it. Keys are stored byte for byte: give one of the records a prefix.`,
      )
    }
  }
}

/** A window brings the fields of all who write meanwhile: what no write could hold would fail under load, and not before. */
function requireOneCondition({ fields, name }: RecordShape, { conditionalFieldsMax = Infinity }: Capabilities): void {
  const count = fields.filter(({ rule }) => conditional.has(rule.kind)).length
  if (count <= conditionalFieldsMax) return
  throw new InvalidArgumentError(
    `rules of record ${name}`,
    `made of at most ${conditionalFieldsMax} max, min and latest fields, which is what one write to the backend may change`,
    count,
    'Declare some of them as another record: under the same prefix it shares the keys.',
  )
}

/** Rules that a store without them merges under a condition. */
const conditional: ReadonlySet<RuleKind> = new Set(['max', 'min', 'latest'])

function requireSame(known: Declared, shape: RecordShape, prefix: string): void {
  const isSame =
    known.prefix === prefix &&
    known.shape.hasDedupe === shape.hasDedupe &&
    known.shape.fields.length === shape.fields.length &&
    shape.fields.every(({ name, rule }) => {
      const index = known.shape.indexOf.get(name)
      const field = index === undefined ? undefined : known.shape.fields[index]
      return field !== undefined && isSameRule(field.rule, rule)
    })
  if (isSame) return
  throw new InvalidArgumentError(
    `rules of record ${shape.name}`,
    'those that it was declared with before',
    listed(shape, prefix),
    `They were ${listed(known.shape, known.prefix)}. A rule made by mergeRule() must be the very same object.`,
  )
}

function listed(shape: RecordShape, prefix: string): string {
  const rules = shape.fields.map(({ name, rule }) => `${name}: ${rule.id}`).join(', ')
  const place = prefix === '' ? rules : `${rules}, under prefix ${JSON.stringify(prefix)}`
  return shape.hasDedupe ? place : `${place}, without dedupe`
}

function checkedOptions(options: RecordOptions, capabilities: Capabilities): Required<RecordOptions> {
  if (typeof options !== 'object' || (options as unknown) === null)
    throw new InvalidArgumentError('options', 'an object with prefix and dedupe', options)
  for (const name of Object.keys(options)) {
    if (name !== 'prefix' && name !== 'dedupe')
      throw new InvalidArgumentError('options', 'made of prefix and dedupe', name)
  }
  const { prefix = '', dedupe = true } = options
  if (typeof dedupe !== 'boolean') throw new InvalidArgumentError('options.dedupe', 'a boolean', dedupe)
  checkPrefix(prefix, capabilities)
  return { prefix, dedupe }
}
