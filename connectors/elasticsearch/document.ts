import { DataError, isDecimal, logicalNames, type Schema, toBase64 } from '@millrace/sdk'

/** Writes values of one schema as JSON text. */
type Writer = (value: unknown) => string

const DAY_MS = 86_400_000

/** Makes the JSON documents of records: with a schema by a writer that is compiled once for it, without by the values. */
export class DocumentWriter {
  readonly #compactMaps: boolean
  readonly #writers = new WeakMap<Schema, Writer>()

  constructor(compactMaps: boolean) {
    this.#compactMaps = compactMaps
  }

  /** The JSON text of an object. Throws DataError for what is no object. */
  write(schema: Schema | null, value: unknown): string {
    const text = schema === null ? this.#schemalessText(value) : this.#writerOf(schema)(value)
    if (text.charCodeAt(0) === 123) return text
    const what = schema === null ? typeof value : schema.type
    throw new DataError(
      `a document has to be a struct or a map, but the value is of type ${what}; use JsonConverter or another converter ` +
        'that makes structs',
    )
  }

  #writerOf(schema: Schema): Writer {
    let writer = this.#writers.get(schema)
    if (!writer) this.#writers.set(schema, (writer = this.#compile(schema)))
    return writer
  }

  #compile(schema: Schema): Writer {
    const write = this.#compilePresent(schema)
    // As Connect's own JSON: an absent value is its default where there is one.
    const absent = schema.default === undefined ? 'null' : write(schema.default)
    return (value) => (value === null || value === undefined ? absent : write(value))
  }

  #compilePresent(schema: Schema): Writer {
    switch (schema.name) {
      case logicalNames.decimal:
        return (value) => number(Number(String(value)))
      case logicalNames.timestamp:
        return (value) => String((value as Date).getTime())
      case logicalNames.date:
        // The first moment of the day: Elasticsearch takes plain numbers for milliseconds.
        return (value) => String(Math.floor((value as Date).getTime() / DAY_MS) * DAY_MS)
    }
    switch (schema.type) {
      case 'STRUCT':
        return this.#struct(schema)
      case 'ARRAY': {
        const item = this.#compile(schema.valueSchema!)
        return (value) => `[${(value as readonly unknown[]).map(item).join(',')}]`
      }
      case 'MAP':
        return this.#map(schema)
      case 'STRING':
        return (value) => JSON.stringify(value)
      case 'BYTES':
        return (value) => `"${toBase64(value as Uint8Array)}"`
      case 'FLOAT32':
      case 'FLOAT64':
        return (value) => number(value as number)
      default:
        return String
    }
  }

  #struct(schema: Schema): Writer {
    const names = schema.fields.map(({ name }) => name)
    const heads = names.map((name, index) => `${index === 0 ? '{' : ','}${JSON.stringify(name)}:`)
    const writers = schema.fields.map((field) => this.#compile(field.schema))
    if (names.length === 0) return () => '{}'
    return (value) => {
      const fields = value as Record<string, unknown>
      let text = ''
      for (let index = 0; index < names.length; index++) text += heads[index]! + writers[index]!(fields[names[index]!])
      return `${text}}`
    }
  }

  #map(schema: Schema): Writer {
    const key = this.#compile(schema.keySchema!)
    const item = this.#compile(schema.valueSchema!)
    const isObject = this.#compactMaps && schema.keySchema!.type === 'STRING'
    return (value) => {
      const entries = [...(value as ReadonlyMap<unknown, unknown>)]
      if (isObject) return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${item(v)}`).join(',')}}`
      return `[${entries.map(([k, v]) => `{"key":${key(k)},"value":${item(v)}}`).join(',')}]`
    }
  }

  /** Most values are what JSON.parse has made; the engine writes them more than three times as fast as code can. */
  #schemalessText(value: unknown): string {
    return isPlainJson(value) ? JSON.stringify(value) : this.#schemaless(value)
  }

  #schemaless(value: unknown): string {
    if (value === null || value === undefined) return 'null'
    switch (typeof value) {
      case 'string':
        return JSON.stringify(value)
      case 'number':
        return number(value)
      case 'object':
        return this.#schemalessObject(value)
      default:
        return String(value as boolean | bigint)
    }
  }

  #schemalessObject(value: object): string {
    if (Array.isArray(value)) return `[${value.map((item) => this.#schemaless(item)).join(',')}]`
    if (value instanceof Date) return String(value.getTime())
    if (value instanceof Uint8Array) return `"${toBase64(value)}"`
    if (isDecimal(value)) return number(Number(String(value)))
    const entries = value instanceof Map ? [...(value as ReadonlyMap<unknown, unknown>)] : Object.entries(value)
    if (entries.some(([key]) => typeof key !== 'string')) {
      return `[${entries.map(([k, v]) => `{"key":${this.#schemaless(k)},"value":${this.#schemaless(v)}}`).join(',')}]`
    }
    return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${this.#schemaless(v)}`).join(',')}}`
  }
}

/** JSON has no word for NaN and the infinities; as text they make the server say which field is wrong. */
function number(value: number): string {
  return Number.isFinite(value) ? String(value) : `"${value}"`
}

/** True for what JSON.stringify writes just as it is to be written. */
function isPlainJson(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return Number.isFinite(value)
    case 'object':
      return value === null || isPlainObject(value)
    default:
      return false
  }
}

function isPlainObject(value: object): boolean {
  if (Array.isArray(value)) return value.every(isPlainJson)
  if (Object.getPrototypeOf(value) !== Object.prototype) return false
  const fields = value as Record<string, unknown>
  for (const name in fields) if (!isPlainJson(fields[name])) return false
  return true
}
