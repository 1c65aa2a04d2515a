/** Kafka Connect's schema types. */
export type SchemaType =
  | 'INT8'
  | 'INT16'
  | 'INT32'
  | 'INT64'
  | 'FLOAT32'
  | 'FLOAT64'
  | 'BOOLEAN'
  | 'STRING'
  | 'BYTES'
  | 'ARRAY'
  | 'MAP'
  | 'STRUCT'

/** One field of a STRUCT. */
export interface Field {
  readonly name: string
  readonly index: number
  readonly schema: Schema
}

/**
 * The schema of a value. Schemas are immutable: encoders are compiled per schema object and cached by identity, so
 * make a schema once and share it between records.
 *
 * How values look in JavaScript: INT8..INT32, FLOAT32, FLOAT64 number; INT64 bigint; STRING string; BOOLEAN boolean;
 * BYTES Uint8Array; ARRAY array; MAP Map; STRUCT a plain object with its fields in schema order. Logical types:
 * Decimal a `Decimal`; Date and Timestamp a `Date`; Time the milliseconds of the day as number. An optional value may be null.
 */
export interface Schema {
  readonly type: SchemaType
  readonly optional: boolean
  /** Undefined where there is none; null is not a default. */
  readonly default: unknown
  readonly name: string | undefined
  readonly version: number | undefined
  readonly doc: string | undefined
  readonly parameters: Readonly<Record<string, string>> | undefined
  /** STRUCT: its fields in order; otherwise empty. */
  readonly fields: readonly Field[]
  /** STRUCT: the field of that name. */
  field(name: string): Field | undefined
  /** MAP only. */
  readonly keySchema: Schema | undefined
  /** MAP and ARRAY only. */
  readonly valueSchema: Schema | undefined
}

/** What can be said of a schema beside its type. */
export interface SchemaOptions {
  optional?: boolean
  default?: unknown
  name?: string
  version?: number
  doc?: string
  parameters?: Readonly<Record<string, string>>
}

const NO_FIELDS: readonly Field[] = []

class SchemaImpl implements Schema {
  readonly type: SchemaType
  readonly optional: boolean
  readonly default: unknown
  readonly name: string | undefined
  readonly version: number | undefined
  readonly doc: string | undefined
  readonly parameters: Readonly<Record<string, string>> | undefined
  readonly fields: readonly Field[]
  readonly keySchema: Schema | undefined
  readonly valueSchema: Schema | undefined
  readonly #byName: ReadonlyMap<string, Field>

  constructor(
    type: SchemaType,
    options: SchemaOptions,
    parts: { fields?: readonly Field[]; keySchema?: Schema; valueSchema?: Schema },
  ) {
    this.type = type
    this.optional = options.optional ?? false
    this.default = options.default ?? undefined
    this.name = options.name
    this.version = options.version
    this.doc = options.doc
    this.parameters = options.parameters
    this.fields = parts.fields ?? NO_FIELDS
    this.keySchema = parts.keySchema
    this.valueSchema = parts.valueSchema
    this.#byName = new Map(this.fields.map((field) => [field.name, field]))
  }

  field(name: string): Field | undefined {
    return this.#byName.get(name)
  }
}

/** Makes a schema of a primitive type. */
export function primitive(type: Exclude<SchemaType, 'ARRAY' | 'MAP' | 'STRUCT'>, options: SchemaOptions = {}): Schema {
  return new SchemaImpl(type, options, {})
}

/** Makes an ARRAY schema. */
export function arrayOf(valueSchema: Schema, options: SchemaOptions = {}): Schema {
  return new SchemaImpl('ARRAY', options, { valueSchema })
}

/** Makes a MAP schema. */
export function mapOf(keySchema: Schema, valueSchema: Schema, options: SchemaOptions = {}): Schema {
  return new SchemaImpl('MAP', options, { keySchema, valueSchema })
}

/** Makes a STRUCT schema; the order of the keys is the order of the fields. Throws TypeError on a repeated name. */
export function struct(
  fields: Readonly<Record<string, Schema>> | readonly (readonly [string, Schema])[],
  options: SchemaOptions = {},
): Schema {
  const entries = Array.isArray(fields)
    ? (fields as readonly (readonly [string, Schema])[])
    : Object.entries(fields as Readonly<Record<string, Schema>>)
  const list = entries.map(([name, schema], index) => ({ name, index, schema }))
  if (new Set(list.map((field) => field.name)).size !== list.length) {
    throw new TypeError(`repeated field name in struct ${options.name ?? ''}: ${list.map((f) => f.name).join(', ')}`)
  }
  return new SchemaImpl('STRUCT', options, { fields: list })
}

/** The same schema with some of its options changed; `undefined` removes one. */
export function withOptions(
  schema: Schema,
  changes: { [K in keyof SchemaOptions]?: SchemaOptions[K] | undefined },
): Schema {
  const options = { ...optionsOf(schema), ...changes } as SchemaOptions
  for (const key of Object.keys(options) as (keyof SchemaOptions)[]) if (options[key] === undefined) delete options[key]
  if (schema.type === 'STRUCT') return new SchemaImpl('STRUCT', options, { fields: schema.fields })
  if (schema.type === 'ARRAY') return arrayOf(schema.valueSchema as Schema, options)
  if (schema.type === 'MAP') return mapOf(schema.keySchema as Schema, schema.valueSchema as Schema, options)
  return primitive(schema.type, options)
}

/** The options of a schema, to build a similar one from. */
export function optionsOf(schema: Schema): SchemaOptions {
  const options: SchemaOptions = { optional: schema.optional }
  if (schema.default !== undefined) options.default = schema.default
  if (schema.name !== undefined) options.name = schema.name
  if (schema.version !== undefined) options.version = schema.version
  if (schema.doc !== undefined) options.doc = schema.doc
  if (schema.parameters !== undefined) options.parameters = schema.parameters
  return options
}

/** Names of Kafka Connect's logical types. */
export const logicalNames = {
  decimal: 'org.apache.kafka.connect.data.Decimal',
  date: 'org.apache.kafka.connect.data.Date',
  time: 'org.apache.kafka.connect.data.Time',
  timestamp: 'org.apache.kafka.connect.data.Timestamp',
} as const

/** Ready schemas for the common cases; `optional` holds the nullable twins. */
export const schemas = {
  int8: primitive('INT8'),
  int16: primitive('INT16'),
  int32: primitive('INT32'),
  int64: primitive('INT64'),
  float32: primitive('FLOAT32'),
  float64: primitive('FLOAT64'),
  boolean: primitive('BOOLEAN'),
  string: primitive('STRING'),
  bytes: primitive('BYTES'),
  optional: {
    int8: primitive('INT8', { optional: true }),
    int16: primitive('INT16', { optional: true }),
    int32: primitive('INT32', { optional: true }),
    int64: primitive('INT64', { optional: true }),
    float32: primitive('FLOAT32', { optional: true }),
    float64: primitive('FLOAT64', { optional: true }),
    boolean: primitive('BOOLEAN', { optional: true }),
    string: primitive('STRING', { optional: true }),
    bytes: primitive('BYTES', { optional: true }),
  },
} as const

/** BYTES with the logical type Decimal; `scale` is a parameter of the schema. */
export function decimalSchema(scale: number, options: SchemaOptions = {}): Schema {
  const parameters = { scale: String(scale), ...options.parameters }
  return primitive('BYTES', { ...options, name: logicalNames.decimal, version: 1, parameters })
}

/** INT32 with the logical type Date (days since the epoch on the wire, a `Date` in memory). */
export function dateSchema(options: SchemaOptions = {}): Schema {
  return primitive('INT32', { ...options, name: logicalNames.date, version: 1 })
}

/** INT32 with the logical type Time (milliseconds of the day, a number in memory too). */
export function timeSchema(options: SchemaOptions = {}): Schema {
  return primitive('INT32', { ...options, name: logicalNames.time, version: 1 })
}

/** INT64 with the logical type Timestamp (milliseconds since the epoch on the wire, a `Date` in memory). */
export function timestampSchema(options: SchemaOptions = {}): Schema {
  return primitive('INT64', { ...options, name: logicalNames.timestamp, version: 1 })
}
