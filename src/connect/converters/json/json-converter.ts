import {
  type Converter,
  DataError,
  defineConverter,
  type HeaderConverter,
  type Schema,
  type SchemaAndValue,
  type SourceRecord,
} from '@millrace/sdk'
import { CLOSE_BRACE } from './json-bytes.ts'
import { type PayloadReader, EnvelopeReader, payloadReader } from './json-envelope.ts'
import { compileEncoder, type Encode, encodeSchemaless, type EncoderOptions } from './json-encoder.ts'
import { isCompactObject } from './json-scan.ts'
import { jsonConverterConfig, type JsonConverterOptions } from './json-options.ts'
import { decodeSchema, encodeSchema } from './json-schema.ts'

/** What is compiled for a schema: its encoder and the bytes of the envelope before the payload. */
interface CompiledSchema {
  readonly encode: Encode
  readonly head: Buffer | undefined
}

const NULL: SchemaAndValue = { schema: null, value: null }

class JsonConverter implements Converter {
  readonly #withSchemas: boolean
  readonly #encoding: EncoderOptions
  readonly #compiled = new WeakMap<Schema, CompiledSchema>()
  readonly #schemaless: CompiledSchema
  readonly #envelopes: EnvelopeReader
  /** Set when messages are bare payloads: schemaless, or with the schema of `schema.content`. */
  readonly #bare: PayloadReader | undefined
  /** Declared here because its presence tells the runtime that the fast path may be taken. */
  readonly fromJsonText?: (record: SourceRecord, part: 'key' | 'value') => Uint8Array | null
  readonly isJsonValue?: (bytes: Uint8Array) => boolean

  constructor(options: JsonConverterOptions) {
    const replaceNullWithDefault = options['replace.null.with.default']
    const numericDecimals = options['decimal.format'] === 'NUMERIC'
    const content = options['schema.content']
    this.#withSchemas = options['schemas.enable']
    this.#encoding = { numericDecimals, replaceNullWithDefault }
    this.#schemaless = {
      encode: (value) => encodeSchemaless(value, numericDecimals),
      head: this.#withSchemas ? Buffer.from('{"schema":null,"payload":') : undefined,
    }
    this.#envelopes = new EnvelopeReader({ cacheSize: options['schemas.cache.size'], replaceNullWithDefault })
    if (!this.#withSchemas) this.#bare = payloadReader(null, replaceNullWithDefault)
    else if (content) this.#bare = payloadReader(decodeSchema(parseContent(content)), replaceNullWithDefault)
    if (this.#bare?.schema === null) this.isJsonValue = isCompactObject
    if (!numericDecimals && replaceNullWithDefault) this.fromJsonText = (record, part) => this.#fromText(record, part)
  }

  fromConnectData(_topic: string, schema: Schema | null, value: unknown): Uint8Array | null {
    if (schema === null && (value === null || value === undefined)) return null
    const { encode, head } = this.#compile(schema)
    const text = encode(value)
    return head === undefined ? Buffer.from(text) : join(head, text)
  }

  toConnectData(topic: string, bytes: Uint8Array | null): SchemaAndValue {
    if (bytes === null) return NULL
    const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    try {
      if (!this.#bare) return this.#envelopes.read(topic, buffer)
      const { schema } = this.#bare
      if (schema !== null) return { schema, value: this.#bare.readBytes(buffer, 0, buffer.length) }
      const text = buffer.toString('utf8')
      // Kafka reads blank text as null when there are no schemas.
      return text.trim() === '' ? NULL : { schema, value: this.#bare.read(text) }
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
      // Node's message quotes the text, which may be secret.
      throw new DataError(
        `Converting byte[] to Kafka Connect data failed due to serialization error: ${bytes.length} bytes are not JSON`,
      )
    }
  }

  #compile(schema: Schema | null): CompiledSchema {
    if (schema === null) return this.#schemaless
    let compiled = this.#compiled.get(schema)
    if (!compiled) {
      const head = this.#withSchemas ? `{"schema":${encodeSchema(schema, this.#encoding)},"payload":` : undefined
      compiled = {
        encode: compileEncoder(schema, this.#encoding),
        head: head === undefined ? undefined : Buffer.from(head),
      }
      this.#compiled.set(schema, compiled)
    }
    return compiled
  }

  #fromText(record: SourceRecord, part: 'key' | 'value'): Uint8Array | null {
    const schema = part === 'key' ? record.keySchema : record.valueSchema
    const text = record.jsonText?.(part) ?? null
    if (text === null) return schema === null ? null : this.fromConnectData(record.topic, schema, null)
    const { head } = this.#compile(schema)
    if (head === undefined) return text
    const bytes = Buffer.allocUnsafe(head.length + text.length + 1)
    bytes.set(head, 0)
    bytes.set(text, head.length)
    bytes[bytes.length - 1] = CLOSE_BRACE
    return bytes
  }
}

/** One copy of the schema's bytes and one pass over the text; the length is known exactly, so nothing is wasted. */
function join(head: Buffer, text: string): Buffer {
  const bytes = Buffer.allocUnsafe(head.length + Buffer.byteLength(text) + 1)
  bytes.set(head, 0)
  bytes.write(text, head.length)
  bytes[bytes.length - 1] = CLOSE_BRACE
  return bytes
}

function parseContent(content: string): unknown {
  try {
    return JSON.parse(content)
  } catch (error) {
    throw new DataError('schema.content is not JSON', { cause: error })
  }
}

function createHeader(options: JsonConverterOptions): HeaderConverter {
  const converter = new JsonConverter(options)
  return {
    fromConnectHeader: (topic, _key, schema, value) => converter.fromConnectData(topic, schema, value),
    toConnectHeader: (topic, _key, bytes) => converter.toConnectData(topic, bytes),
  }
}

/** Kafka Connect's JsonConverter: JSON with or without an envelope that carries the schema. */
export default defineConverter({
  name: 'org.apache.kafka.connect.json.JsonConverter',
  version: '4.3.1',
  aliases: ['JsonConverter', 'Json'],
  doc: 'Converts between Connect data and JSON, with the schema in an envelope (schemas.enable=true) or without.',
  config: jsonConverterConfig,
  create: (options) => new JsonConverter(options),
  createHeader,
})
