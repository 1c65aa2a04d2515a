import { DataError, type Schema, schemas } from '@millrace/sdk'
import type { FileReader, Row } from '../reader.ts'
import { TextWindow } from '../text-window.ts'
import { JsonScanner } from './json-scanner.ts'
import { inferredSchemas, type SchemaSettings } from './schema-settings.ts'
import { textParser, type TextParser, type TextParserOptions } from './text-value.ts'

/** How the objects of a file with JSON are read; without schemas each is a value of text. */
export interface JsonOptions {
  readonly charset: string
  readonly schemas: SchemaSettings | null
  readonly parser: TextParserOptions
  readonly timestampField: string | null
}

/** Reads JSON objects: one a line, one after another, or the elements of one array. */
export class JsonReader implements FileReader {
  readonly isReady = true
  readonly #options: JsonOptions
  readonly #inferred: Map<string, { readonly key: Schema | null; readonly value: Schema }>
  readonly #window: TextWindow
  readonly #scanner: JsonScanner
  readonly #parsers = new Map<Schema, TextParser>()

  /** The map keeps inferred schemas: files of one kind share them, and with them compiled encoders. */
  constructor(options: JsonOptions, inferred: Map<string, { readonly key: Schema | null; readonly value: Schema }>) {
    this.#options = options
    this.#inferred = inferred
    this.#window = new TextWindow(options.charset)
    this.#scanner = new JsonScanner(this.#window)
  }

  get position(): number {
    return this.#window.positionOf(this.#window.at)
  }

  push(chunk: Uint8Array, isLast: boolean): void {
    this.#window.push(chunk, isLast)
  }

  prepare(): void {}

  seek(position: number): void {
    this.#window.seek(position)
    this.#scanner.reset()
  }

  next(): Row | undefined {
    const found = this.#scanner.next()
    if (found === undefined) return undefined
    const text = this.#window.decode(found)
    const json = parse(text)
    if (this.#options.schemas === null) {
      return { key: null, keySchema: null, value: text, valueSchema: schemas.string }
    }
    return this.#structured(json, this.#options.schemas)
  }

  #structured(json: Readonly<Record<string, unknown>>, settings: SchemaSettings): Row {
    const { key, value } =
      settings.value === null ? this.#infer(json, settings) : { ...settings, value: settings.value }
    const struct = this.#struct(value, json)
    const { timestampField } = this.#options
    const time = timestampField === null ? null : struct[timestampField]
    return {
      key: key === null || key.fields.length === 0 ? null : this.#struct(key, json),
      keySchema: key === null || key.fields.length === 0 ? null : key,
      value: struct,
      valueSchema: value,
      timestamp: time instanceof Date ? time.getTime() : null,
    }
  }

  /** Objects with other fields than those before get a schema of their own, so that nothing is lost. */
  #infer(json: Readonly<Record<string, unknown>>, settings: SchemaSettings): { key: Schema | null; value: Schema } {
    const names = Object.keys(json)
    const id = JSON.stringify(names)
    let made = this.#inferred.get(id)
    if (made === undefined) {
      if (this.#inferred.size >= INFERRED_MAX) this.#inferred.clear()
      made = inferredSchemas(settings, names)
      this.#inferred.set(id, made)
    }
    return made
  }

  #struct(schema: Schema, json: Readonly<Record<string, unknown>>): Record<string, unknown> {
    const struct: Record<string, unknown> = {}
    for (const field of schema.fields) struct[field.name] = this.#value(field.schema, json[field.name], field.name)
    return struct
  }

  #value(schema: Schema, json: unknown, place: string): unknown {
    if (json === null || json === undefined) {
      if (schema.default !== undefined) return schema.default
      if (schema.optional) return null
      throw new DataError(`the field ${place} is missing, and the schema requires it`)
    }
    const entries = (): [string, unknown][] => {
      if (typeof json === 'object' && !Array.isArray(json)) return Object.entries(json)
      throw new DataError(`the field ${place} is no JSON object, and the schema says ${schema.type}`)
    }
    if (schema.type === 'STRUCT') return this.#struct(schema, Object.fromEntries(entries()))
    if (schema.type === 'MAP') {
      return new Map(
        entries().map(([name, value]) => [
          this.#value(schema.keySchema as Schema, name, place),
          this.#value(schema.valueSchema as Schema, value, `${place}.${name}`),
        ]),
      )
    }
    if (schema.type === 'ARRAY') {
      if (!Array.isArray(json)) throw new DataError(`the field ${place} is no array, and the schema says ARRAY`)
      return json.map((value) => this.#value(schema.valueSchema as Schema, value, place))
    }
    return this.#fromText(schema, typeof json === 'string' ? json : JSON.stringify(json), place)
  }

  #fromText(schema: Schema, text: string, place: string): unknown {
    let parser = this.#parsers.get(schema)
    if (parser === undefined) {
      parser = textParser(schema, this.#options.parser)
      this.#parsers.set(schema, parser)
    }
    let value: unknown
    try {
      value = parser(text)
    } catch (error) {
      throw new DataError(`the field ${place} ${(error as Error).message}`, { cause: error })
    }
    if (value === null && !schema.optional)
      throw new DataError(`the field ${place} is empty, and the schema requires it`)
    return value
  }
}

const INFERRED_MAX = 100

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    // Integers beyond 2^53 stay what they are, as text; looking at each number costs, so only where there may be one.
    const json: unknown = /\d{16}/.test(text) ? JSON.parse(text, exactInteger) : JSON.parse(text)
    return json as Readonly<Record<string, unknown>>
  } catch (error) {
    // Node's message quotes the text, which may be secret.
    if (error instanceof SyntaxError) throw new DataError('the object is not JSON')
    throw error
  }
}

function exactInteger(this: unknown, _key: string, value: unknown, context?: { readonly source?: string }): unknown {
  return typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? '')
    ? context?.source
    : value
}
