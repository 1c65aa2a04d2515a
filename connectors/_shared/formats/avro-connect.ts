import {
  arrayOf,
  DataError,
  Decimal,
  logicalNames,
  mapOf,
  primitive,
  type Schema,
  type SchemaOptions,
  struct,
} from '@millrace/sdk'

/** The Connect form of an Avro schema, and how values get it. */
export interface ConnectMapping {
  readonly schema: Schema
  readonly convert: (value: unknown) => unknown
}

type Node = Readonly<Record<string, unknown>>

const MS_PER_DAY = 86_400_000
const DEPTH_MAX = 64

/** Reads a schema as AvroConverter's data model has it. Throws DataError for what Connect has no form for. */
export function connectMapping(avroSchema: unknown): ConnectMapping {
  return new Reader().read(avroSchema, {}, 0)
}

class Reader {
  readonly #named = new Map<string, unknown>()

  read(avroSchema: unknown, options: SchemaOptions, depth: number): ConnectMapping {
    if (depth > DEPTH_MAX) throw new DataError('the Avro schema is nested too deeply, or refers to itself')
    if (Array.isArray(avroSchema)) return this.#union(avroSchema, options, depth)
    if (typeof avroSchema === 'string') {
      const named = this.#named.get(avroSchema)
      return named === undefined ? primitiveMapping(avroSchema, {}, options) : this.read(named, options, depth + 1)
    }
    const node = avroSchema as Node
    switch (node['type']) {
      case 'record':
        return this.#record(node, options, depth)
      case 'array':
        return this.#array(node, options, depth)
      case 'map': {
        const values = this.read(node['values'], {}, depth + 1)
        const schema = mapOf(primitive('STRING'), values.schema, options)
        return {
          schema,
          convert: (value) =>
            new Map(
              Object.entries(value as object).map(([key, each]): [string, unknown] => [key, values.convert(each)]),
            ),
        }
      }
      case 'enum':
        this.#remember(node)
        return { schema: primitive('STRING', { ...options, name: nameOf(node) }), convert: (value) => value }
      case 'fixed':
        this.#remember(node)
        return primitiveMapping('bytes', node, options)
      default:
        if (typeof node['type'] !== 'string') return this.read(node['type'], options, depth + 1)
        return primitiveMapping(node['type'], node, options)
    }
  }

  #remember(node: Node): void {
    this.#named.set(nameOf(node), node)
    this.#named.set(String(node['name']), node)
  }

  #union(branches: readonly unknown[], options: SchemaOptions, depth: number): ConnectMapping {
    const others = branches.filter((branch) => branch !== 'null')
    if (others.length !== 1) throw new DataError('unions of several types have no form in Connect')
    if (others.length === branches.length) return this.read(others[0], options, depth + 1)
    const { schema, convert } = this.read(others[0], { ...options, optional: true }, depth + 1)
    return { schema, convert: (value) => (value === null || value === undefined ? null : convert(value)) }
  }

  #record(node: Node, options: SchemaOptions, depth: number): ConnectMapping {
    this.#remember(node)
    const fields = (node['fields'] as readonly Node[]).map((field) => ({
      name: String(field['name']),
      mapping: this.read(field['type'], {}, depth + 1),
    }))
    const name = nameOf(node)
    const isNameless = /^io\.confluent\.connect\.avro\.ConnectDefault\d*$/.test(name)
    const entries = fields.map(({ name: field, mapping }): [string, Schema] => [field, mapping.schema])
    return {
      schema: struct(entries, { ...options, ...(isNameless ? {} : { name }) }),
      convert: (value) => {
        const members = value as Node
        const result: Record<string, unknown> = {}
        for (const field of fields) result[field.name] = field.mapping.convert(members[field.name])
        return result
      },
    }
  }

  /** An array of map entries is a map whose keys are no text. */
  #array(node: Node, options: SchemaOptions, depth: number): ConnectMapping {
    const items = this.read(node['items'], {}, depth + 1)
    const itemName = typeof node['items'] === 'object' ? (node['items'] as Node)['name'] : undefined
    if (typeof itemName === 'string' && /^MapEntry\d*$/.test(itemName)) {
      const [key, value] = ['key', 'value'].map((field) => items.schema.field(field)?.schema)
      if (key !== undefined && value !== undefined) {
        return {
          schema: mapOf(key, value, options),
          convert: (entries) =>
            new Map(
              (entries as readonly unknown[]).map((entry): [unknown, unknown] => {
                const pair = items.convert(entry) as Node
                return [pair['key'], pair['value']]
              }),
            ),
        }
      }
    }
    return {
      schema: arrayOf(items.schema, options),
      convert: (value) => (value as readonly unknown[]).map(items.convert),
    }
  }
}

function nameOf(node: Node): string {
  const name = String(node['name'])
  const namespace = node['namespace']
  return typeof namespace === 'string' && namespace !== '' && !name.includes('.') ? `${namespace}.${name}` : name
}

function primitiveMapping(type: string, node: Node, options: SchemaOptions): ConnectMapping {
  const logical = logicalMapping(node, options)
  if (logical !== undefined) return logical
  const same = (value: unknown): unknown => value
  switch (type) {
    case 'int': {
      const small = node['connect.type']
      const exact = small === 'int8' ? 'INT8' : small === 'int16' ? 'INT16' : 'INT32'
      return { schema: primitive(exact, options), convert: same }
    }
    case 'long':
      return { schema: primitive('INT64', options), convert: same }
    case 'float':
      return { schema: primitive('FLOAT32', options), convert: same }
    case 'double':
      return { schema: primitive('FLOAT64', options), convert: same }
    case 'boolean':
    case 'string':
    case 'bytes':
      return { schema: primitive(type.toUpperCase() as 'BOOLEAN' | 'STRING' | 'BYTES', options), convert: same }
    case 'null':
      return { schema: primitive('STRING', { ...options, optional: true }), convert: () => null }
    default:
      throw new DataError(`the Avro type ${type} is not known`)
  }
}

function logicalMapping(node: Node, options: SchemaOptions): ConnectMapping | undefined {
  const named = (name: string, parameters?: Record<string, string>): SchemaOptions => ({
    ...options,
    name,
    version: 1,
    ...(parameters === undefined ? {} : { parameters }),
  })
  switch (node['logicalType']) {
    case 'decimal': {
      const scale = Number(node['scale'] ?? 0)
      const schema = primitive('BYTES', named(logicalNames.decimal, { scale: String(scale) }))
      return { schema, convert: (value) => Decimal.fromBytes(value as Uint8Array, scale) }
    }
    case 'date':
      return {
        schema: primitive('INT32', named(logicalNames.date)),
        convert: (value) => (value instanceof Date ? value : new Date((value as number) * MS_PER_DAY)),
      }
    case 'time-millis':
      return { schema: primitive('INT32', named(logicalNames.time)), convert: (value) => value }
    case 'timestamp-millis':
    case 'timestamp-micros': {
      const divisor = node['logicalType'] === 'timestamp-micros' ? 1000n : 1n
      return {
        schema: primitive('INT64', named(logicalNames.timestamp)),
        convert: (value) => (value instanceof Date ? value : new Date(Number((value as bigint) / divisor))),
      }
    }
    default:
      return undefined
  }
}
