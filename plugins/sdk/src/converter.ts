import type { ConfigDef, Parsed } from './config.ts'
import type { PluginContext } from './connector.ts'
import type { SourceRecord } from './record.ts'
import type { Schema } from './schema.ts'

/** Data with its schema; the schema is null for schemaless data. */
export interface SchemaAndValue {
  readonly schema: Schema | null
  readonly value: unknown
}

/** A configured converter between Connect data and the bytes in the log. */
export interface Converter {
  /** Null stays null (a tombstone). Throws DataError for a value that does not fit its schema. */
  fromConnectData(topic: string, schema: Schema | null, value: unknown): Uint8Array | null
  toConnectData(topic: string, bytes: Uint8Array | null): SchemaAndValue
  /**
   * Set by converters of JSON without schemas: whether these bytes can be the `jsonValue` of a sink record. After a yes
   * `toConnectData` may be called later or not at all, and must not throw.
   */
  isJsonValue?(bytes: Uint8Array): boolean
  /**
   * Set by converters that write JSON text as is: takes a record's `jsonText` in place of its value where options allow it.
   * The bytes are good until the next call.
   */
  fromJsonText?(record: SourceRecord, part: 'key' | 'value'): Uint8Array | null
}

/** A configured converter of header values. */
export interface HeaderConverter {
  fromConnectHeader(topic: string, key: string, schema: Schema | null, value: unknown): Uint8Array | null
  toConnectHeader(topic: string, key: string, bytes: Uint8Array | null): SchemaAndValue
}

/** What the runtime offers to a converter. */
export interface ConverterContext extends PluginContext {
  readonly isKey: boolean
}

export interface ConverterDefinition<D extends ConfigDef = ConfigDef> {
  readonly kind: 'converter'
  readonly name: string
  readonly version: string
  readonly aliases?: readonly string[]
  readonly doc: string
  readonly config: D
  create(config: Parsed<D>, context: ConverterContext): Converter
  /** Set where the class is also a header converter. */
  createHeader?(config: Parsed<D>, context: PluginContext): HeaderConverter
}

export interface HeaderConverterDefinition<D extends ConfigDef = ConfigDef> {
  readonly kind: 'header-converter'
  readonly name: string
  readonly version: string
  readonly aliases?: readonly string[]
  readonly doc: string
  readonly config: D
  createHeader(config: Parsed<D>, context: PluginContext): HeaderConverter
}

/** Declares a converter. */
export function defineConverter<const D extends ConfigDef>(
  definition: Omit<ConverterDefinition<D>, 'kind'>,
): ConverterDefinition<D> {
  return { kind: 'converter', ...definition }
}

/** Declares a class that converts headers only. */
export function defineHeaderConverter<const D extends ConfigDef>(
  definition: Omit<HeaderConverterDefinition<D>, 'kind'>,
): HeaderConverterDefinition<D> {
  return { kind: 'header-converter', ...definition }
}
