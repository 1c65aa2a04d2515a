import { DataError, isDecimal, logicalNames, type Schema } from '@millrace/sdk'
import type { AvroSink } from './avro-sink.ts'

/** An Avro schema as JSON. */
export type AvroSchema = string | readonly AvroSchema[] | { readonly [key: string]: unknown }

/** Writes a value of Connect in Avro's binary form; throws DataError when it does not fit. */
export type WriteAvro = (sink: AvroSink, value: unknown) => void

export interface AvroMapping {
  readonly schema: AvroSchema
  readonly write: WriteAvro
}

const NAMESPACE = 'io.confluent.connect.avro'
const PRECISION = 64
const MS_PER_DAY = 86_400_000

/** The Avro form of a schema, as AvroConverter's data model has it, and how values are written in it. */
export function avroMapping(schema: Schema): AvroMapping {
  return new Mapper().read(schema)
}

class Mapper {
  readonly #names = new Set<string>()

  /** Of an optional schema null is the first branch, as Connect writes it. */
  read(schema: Schema): AvroMapping {
    const { schema: plain, write } = this.#plain(schema)
    const { default: fallback, optional } = schema
    if (optional) {
      return {
        schema: ['null', plain],
        write: (sink, value) => {
          const present = value ?? fallback
          if (present === null || present === undefined) {
            sink.byte(0)
            return
          }
          // The index of the branch, in zigzag form.
          sink.byte(2)
          write(sink, present)
        },
      }
    }
    return {
      schema: plain,
      write: (sink, value) => {
        const present = value ?? fallback
        if (present !== null && present !== undefined) write(sink, present)
        else throw new DataError(`a ${schema.type} that is required and has no default is null`)
      },
    }
  }

  #plain(schema: Schema): AvroMapping {
    switch (schema.type) {
      case 'STRUCT':
        return this.#struct(schema)
      case 'ARRAY': {
        const items = this.read(schema.valueSchema as Schema)
        return {
          schema: { type: 'array', items: items.schema },
          write: (sink, value) => {
            if (!Array.isArray(value)) throw misfit(schema, value)
            blocks(sink, value, items.write)
          },
        }
      }
      case 'MAP':
        return this.#map(schema)
      default:
        return logical(schema) ?? primitive(schema)
    }
  }

  #struct(schema: Schema): AvroMapping {
    const name = this.#unique(schema.name ?? 'ConnectDefault')
    const fields = schema.fields.map((field) => ({ name: field.name, mapping: this.read(field.schema) }))
    const members = fields.map(({ name: field, mapping }) => {
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(field)) {
        throw new DataError(`the field "${field}" has no name that Avro allows: letters, digits and underscores`)
      }
      const isOptional = Array.isArray(mapping.schema)
      return { name: field, type: mapping.schema, ...(isOptional ? { default: null } : {}) }
    })
    return {
      schema: { type: 'record', ...name, fields: members },
      write: (sink, value) => {
        if (typeof value !== 'object' || value instanceof Map || Array.isArray(value)) throw misfit(schema, value)
        const struct = value as Readonly<Record<string, unknown>>
        for (const field of fields) field.mapping.write(sink, struct[field.name])
      },
    }
  }

  /** Text keys make an Avro map, all others an array of entries, as Connect does it. */
  #map(schema: Schema): AvroMapping {
    const key = this.read(schema.keySchema as Schema)
    const value = this.read(schema.valueSchema as Schema)
    const write: WriteAvro = (sink, map) => {
      if (!(map instanceof Map)) throw misfit(schema, map)
      blocks(sink, [...map], (to, pair) => {
        const [each, member] = pair as [unknown, unknown]
        key.write(to, each)
        value.write(to, member)
      })
    }
    if (key.schema === 'string') return { schema: { type: 'map', values: value.schema }, write }
    const name = this.#unique(schema.name ?? 'MapEntry')
    const fields = [
      { name: 'key', type: key.schema },
      { name: 'value', type: value.schema },
    ]
    return { schema: { type: 'array', items: { type: 'record', ...name, fields } }, write }
  }

  /** Names may be used once in a schema; nameless structs get numbers. */
  #unique(full: string): { name: string; namespace?: string } {
    const clean = full.replace(/[^A-Za-z0-9_.]/g, '_')
    let unique = clean
    for (let number = 2; this.#names.has(unique); number++) unique = `${clean}${number}`
    this.#names.add(unique)
    const dot = unique.lastIndexOf('.')
    if (dot >= 0) return { name: unique.slice(dot + 1), namespace: unique.slice(0, dot) }
    return { name: unique, namespace: NAMESPACE }
  }
}

/** Arrays and maps: one block of all members, and an empty one as the end. */
function blocks(sink: AvroSink, members: readonly unknown[], write: WriteAvro): void {
  if (members.length > 0) {
    sink.int(members.length)
    for (const member of members) write(sink, member)
  }
  sink.byte(0)
}

function logical(schema: Schema): AvroMapping | undefined {
  const named = { 'connect.name': schema.name, 'connect.version': schema.version ?? 1 }
  switch (schema.name) {
    case logicalNames.decimal: {
      const scale = Number(schema.parameters?.['scale'] ?? 0)
      const precision = Number(schema.parameters?.['connect.decimal.precision'] ?? PRECISION)
      return {
        schema: { type: 'bytes', logicalType: 'decimal', precision, scale, ...named },
        write: (sink, value) => {
          if (!isDecimal(value)) throw misfit(schema, value)
          sink.bytes(value.withScale(scale).toBytes())
        },
      }
    }
    case logicalNames.date:
      return {
        schema: { type: 'int', logicalType: 'date', ...named },
        write: (sink, value) => sink.int(Math.floor(timeOf(schema, value) / MS_PER_DAY)),
      }
    case logicalNames.time:
      return { schema: { type: 'int', logicalType: 'time-millis', ...named }, write: whole(schema) }
    case logicalNames.timestamp:
      return {
        schema: { type: 'long', logicalType: 'timestamp-millis', ...named },
        write: (sink, value) => sink.long(BigInt(timeOf(schema, value))),
      }
    default:
      return undefined
  }
}

function whole(schema: Schema): WriteAvro {
  return (sink, value) => {
    if (typeof value !== 'number' || (value | 0) !== value) throw misfit(schema, value)
    sink.int(value)
  }
}

function primitive(schema: Schema): AvroMapping {
  const of = <T>(name: string, fits: (value: unknown) => value is T, write: (sink: AvroSink, value: T) => void) => ({
    schema: name,
    write: (sink: AvroSink, value: unknown): void => {
      if (!fits(value)) throw misfit(schema, value)
      write(sink, value)
    },
  })
  const isNumber = (value: unknown): value is number => typeof value === 'number'
  switch (schema.type) {
    case 'INT8':
    case 'INT16':
      return { schema: { type: 'int', 'connect.type': schema.type.toLowerCase() }, write: whole(schema) }
    case 'INT32':
      return { schema: 'int', write: whole(schema) }
    case 'INT64':
      return {
        schema: 'long',
        write: (sink, value) => {
          if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) throw misfit(schema, value)
          sink.long(BigInt(value as bigint | number))
        },
      }
    case 'FLOAT32':
      return of('float', isNumber, (sink, value) => sink.float(value))
    case 'FLOAT64':
      return of('double', isNumber, (sink, value) => sink.double(value))
    case 'BOOLEAN':
      return of(
        'boolean',
        (value) => typeof value === 'boolean',
        (sink, value) => sink.byte(value ? 1 : 0),
      )
    case 'STRING':
      return of(
        'string',
        (value) => typeof value === 'string',
        (sink, value) => sink.text(value),
      )
    default:
      return of(
        'bytes',
        (value) => value instanceof Uint8Array,
        (sink, value) => sink.bytes(value),
      )
  }
}

function timeOf(schema: Schema, value: unknown): number {
  if (!(value instanceof Date)) throw misfit(schema, value)
  return value.getTime()
}

/** Names the type only: values may be secret. */
function misfit(schema: Schema, value: unknown): DataError {
  const kind = typeof value === 'object' ? (value?.constructor.name ?? 'null') : typeof value
  return new DataError(`a ${kind} does not fit the schema type ${schema.name ?? schema.type}`)
}
