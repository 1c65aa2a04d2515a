import { type ConnectRecord, DataError, type PluginContext, type Schema, type Transform } from '@millrace/sdk'
import replaceField from '../replace-field.ts'

interface Options {
  readonly 'drop.fields.header.name': string | null
  readonly 'drop.fields.from.key': boolean
  readonly 'drop.fields.keep.schema.compatible': boolean
}

/** Removes the fields which a header of the record lists, from the value and perhaps the key. */
export class DropFields {
  readonly #header: string
  readonly #fromKey: boolean
  readonly #onlyOptional: boolean
  readonly #droppers: Readonly<Record<'key' | 'value', Droppers>>

  private constructor(header: string, options: Options, context: PluginContext) {
    this.#droppers = { key: new Droppers('key', context), value: new Droppers('value', context) }
    this.#header = header
    this.#fromKey = options['drop.fields.from.key']
    this.#onlyOptional = options['drop.fields.keep.schema.compatible']
  }

  /** Undefined where no header is named. */
  static of(options: Options, context: PluginContext): DropFields | undefined {
    const header = options['drop.fields.header.name'] ?? ''
    return header.trim() === '' ? undefined : new DropFields(header, options, context)
  }

  apply<R extends ConnectRecord>(record: R): R {
    const names = record.headers.find(({ key }) => key === this.#header)?.value ?? []
    if (!Array.isArray(names)) throw new DataError(`The header ${this.#header} is no list of fields to drop`)
    if (names.length === 0) return record
    const hasKey = record.key !== null && record.key !== undefined
    const changed = this.#fromKey && hasKey ? this.#drop(record, 'key', names) : record
    return changed.value === null ? changed : this.#drop(changed, 'value', names)
  }

  #drop<R extends ConnectRecord>(record: R, part: 'key' | 'value', listed: readonly string[]): R {
    const schema = part === 'key' ? record.keySchema : record.valueSchema
    const names = this.#onlyOptional ? optionalOf(schema, listed) : listed
    return names.length === 0 ? record : (this.#droppers[part].get(names).apply(record) ?? record)
  }
}

function optionalOf(schema: Schema | null, names: readonly string[]): string[] {
  if (schema?.type !== 'STRUCT') throw new DataError('Cannot list fields on non-struct type')
  return schema.fields.flatMap(({ name, schema: of }) => (of.optional && names.includes(name) ? [name] : []))
}

const MAX_DROPPERS = 100

/** One ReplaceField for each list of fields: lists are few and records many. */
class Droppers {
  readonly #part: 'key' | 'value'
  readonly #context: PluginContext
  readonly #byNames = new Map<string, Transform>()

  constructor(part: 'key' | 'value', context: PluginContext) {
    this.#part = part
    this.#context = context
  }

  get(exclude: readonly string[]): Transform {
    const names = exclude.join(',')
    const known = this.#byNames.get(names)
    if (known) return known
    const options = { exclude, include: [], renames: [], 'replace.null.with.default': true }
    const dropper = replaceField[this.#part].create(options, this.#context)
    if (this.#byNames.size >= MAX_DROPPERS) this.#byNames.clear()
    this.#byNames.set(names, dropper)
    return dropper
  }
}
