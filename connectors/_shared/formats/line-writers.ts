import { DataError, type Schema, valueToString } from '@millrace/sdk'
import { type JsonEncode, jsonEncoder } from './json-text.ts'
import { ByteCollector, type RecordWriter, type WriteFormat } from './record-writer.ts'

/** A writer of text, one line a value. `line` gives the line with its end. */
class TextWriter implements RecordWriter {
  readonly #bytes = new ByteCollector()
  readonly #line: (schema: Schema | null, value: unknown) => string

  constructor(line: (schema: Schema | null, value: unknown) => string) {
    this.#line = line
  }

  get heldBytes(): number {
    return this.#bytes.length
  }

  add(schema: Schema | null, value: unknown): void {
    this.#bytes.text(this.#line(schema, value))
  }

  addJson(json: Uint8Array): void {
    this.#bytes.copyLine(json)
  }

  take(): Uint8Array {
    return this.#bytes.take()
  }

  finish(): Uint8Array {
    return this.take()
  }
}

export interface JsonOptions {
  readonly numericDecimals?: boolean
}

/** One compact JSON document a line. */
export function jsonLinesFormat(options: JsonOptions = {}): WriteFormat {
  const encoders = new WeakMap<Schema, JsonEncode>()
  const plain = jsonEncoder(null, options.numericDecimals)
  const line = (schema: Schema | null, value: unknown): string => {
    if (schema === null) return `${plain(value)}\n`
    let encode = encoders.get(schema)
    if (encode === undefined) {
      encode = jsonEncoder(schema, options.numericDecimals)
      encoders.set(schema, encode)
    }
    return `${encode(value)}\n`
  }
  return { extension: '.json', compressible: true, takesJson: true, create: () => new TextWriter(line) }
}

export interface CsvOptions {
  readonly separator?: string
  /** Whether the names of the columns are the first line. */
  readonly header?: boolean
}

/**
 * Lines of comma-separated values (RFC 4180): the fields of a struct, the members of a map or object, or a single value.
 * The first value gives the columns; nested values are JSON.
 */
export function csvFormat(options: CsvOptions = {}): WriteFormat {
  const { separator = ',', header = true } = options
  const special = new RegExp(`["\\r\\n]|${separator.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`)
  const cell = (text: string): string => (special.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
  return {
    extension: '.csv',
    compressible: true,
    create(fileSchema) {
      let columns = fileSchema?.type === 'STRUCT' ? fileSchema.fields.map((field) => field.name) : undefined
      let started = false
      return new TextWriter((schema, value) => {
        const row = membersOf(schema, value)
        const names = columns ?? [...row.keys()]
        for (const name of row.keys()) {
          if (!names.includes(name)) throw new DataError(`the column ${name} is not among those of the file`)
        }
        const cells = names.map((name) => cell(row.get(name) ?? ''))
        // A line of one empty cell would be an empty line, which readers skip.
        const text = cells.length === 1 && cells[0] === '' ? '""' : cells.join(separator)
        const first = !started && header ? `${names.map(cell).join(separator)}\n` : ''
        columns = names
        started = true
        return `${first}${text}\n`
      })
    },
  }
}

function membersOf(schema: Schema | null, value: unknown): Map<string, string> {
  if (schema?.type === 'STRUCT') {
    const members = value as Readonly<Record<string, unknown>>
    return new Map(
      schema.fields.map(({ name, schema: of }) => [name, csvText(of, members[name] ?? of.default ?? null)]),
    )
  }
  if (value instanceof Map) {
    const of = schema?.valueSchema ?? null
    return new Map([...value].map(([name, member]) => [String(name), csvText(of, member)]))
  }
  const isObject = schema === null && typeof value === 'object' && value !== null
  if (isObject && !Array.isArray(value) && !(value instanceof Uint8Array) && !(value instanceof Date)) {
    return new Map(Object.entries(value).map(([name, member]) => [name, csvText(null, member)]))
  }
  return new Map([['value', csvText(schema, value)]])
}

function csvText(schema: Schema | null, value: unknown): string {
  if (value === null || value === undefined) return ''
  if (value instanceof Date) return value.toISOString()
  const isNested = schema === null ? typeof value === 'object' : ['STRUCT', 'ARRAY', 'MAP'].includes(schema.type)
  if (isNested && !(value instanceof Uint8Array)) return jsonEncoder(schema)(value)
  return valueToString(schema, value)
}

class BytesWriter implements RecordWriter {
  readonly #bytes = new ByteCollector()
  readonly #separator: Uint8Array

  constructor(separator: Uint8Array) {
    this.#separator = separator
  }

  get heldBytes(): number {
    return this.#bytes.length
  }

  add(_schema: Schema | null, value: unknown): void {
    const isBytes = value instanceof Uint8Array
    if (!isBytes && typeof value !== 'string') {
      throw new DataError('values have to be bytes: set value.converter to ByteArrayConverter')
    }
    this.#bytes.copy(isBytes ? value : Buffer.from(value))
    this.#bytes.copy(this.#separator)
  }

  take(): Uint8Array {
    return this.#bytes.take()
  }

  finish(): Uint8Array {
    return this.take()
  }
}

/** The bytes of each value and a separator after it. */
export function bytesFormat(extension = '.bin', separator = '\n'): WriteFormat {
  const bytes = Buffer.from(separator)
  return { extension, compressible: true, create: () => new BytesWriter(bytes) }
}
