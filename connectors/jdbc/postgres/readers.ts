import { dateSchema, primitive, timeSchema } from '@millrace/sdk'
import type { ColumnReader, ReaderPlan, ReadOptions } from '../dialect.ts'
import { parseInstant, parseTime } from '../temporal.ts'
import { decimalPlan, numericPlan, type Plan, timestampPlan } from '../value-plans.ts'
import { utc } from '../zone.ts'
import type { PostgresColumn } from './rows-query.ts'

/** Numbers of the built-in types, fixed by Postgres since ever. */
const oid = {
  bool: 16,
  bytea: 17,
  char: 18,
  name: 19,
  int8: 20,
  int2: 21,
  int4: 23,
  text: 25,
  oid: 26,
  json: 114,
  xml: 142,
  float4: 700,
  float8: 701,
  money: 790,
  bpchar: 1042,
  varchar: 1043,
  date: 1082,
  time: 1083,
  timestamp: 1114,
  timestamptz: 1184,
  timetz: 1266,
  bit: 1560,
  numeric: 1700,
  uuid: 2950,
  jsonb: 3802,
} as const

/** What the catalogue adds to a result column. */
export interface ColumnFacts {
  /** Null: not known (an expression), taken as nullable. */
  readonly nullable: boolean
  /** `e` is an enum. */
  readonly typeKind: string
  readonly typeName: string
}

const asText = (text: string): string => text
const TEXT_TYPES = new Set<number>([
  oid.char,
  oid.name,
  oid.text,
  oid.bpchar,
  oid.varchar,
  oid.json,
  oid.jsonb,
  oid.uuid,
  oid.xml,
])
/** The scale for a NUMERIC that was declared without one: it holds any value, and no digit may be lost. */
const UNDECLARED_SCALE = 127
/** Postgres's modifiers carry the size of a length word. */
const MODIFIER_HEADER = 4

/** Chooses schema and reader for each column of a result. */
export function planReaders(
  columns: readonly PostgresColumn[],
  facts: readonly ColumnFacts[],
  options: ReadOptions,
): ReaderPlan {
  const readers: ColumnReader[] = []
  const dropped: { name: string; type: string }[] = []
  columns.forEach((column, index) => {
    const fact = facts[index] as ColumnFacts
    const plan = planColumn(column, fact, options)
    if (plan === undefined) dropped.push({ name: column.name, type: fact.typeName })
    else readers.push({ name: column.name, index, schema: plan.schema, read: plan.read })
  })
  return { readers, dropped }
}

function planColumn(column: PostgresColumn, fact: ColumnFacts, options: ReadOptions): Plan | undefined {
  const optional = fact.nullable
  const type = column.typeId
  if (TEXT_TYPES.has(type) || fact.typeKind === 'e' || fact.typeName === 'citext') {
    return { schema: primitive('STRING', { optional }), read: asText }
  }
  switch (type) {
    case oid.bool:
      return { schema: primitive('BOOLEAN', { optional }), read: (text) => text === 't' }
    case oid.int2:
      return { schema: primitive('INT16', { optional }), read: Number }
    case oid.int4:
      return { schema: primitive('INT32', { optional }), read: Number }
    case oid.int8:
    case oid.oid:
      return { schema: primitive('INT64', { optional }), read: BigInt }
    case oid.float4:
      return { schema: primitive('FLOAT32', { optional }), read: (text) => Math.fround(Number(text)) }
    case oid.float8:
      return { schema: primitive('FLOAT64', { optional }), read: Number }
    case oid.money:
      return { schema: primitive('FLOAT64', { optional }), read: (text) => Number(text.replace(/[$,]/g, '')) }
    case oid.bytea:
      return { schema: primitive('BYTES', { optional }), read: (text) => Buffer.from(text.slice(2), 'hex') }
    case oid.bit:
      return planBits(column, optional)
    case oid.numeric:
      return planNumeric(column, optional, options)
    case oid.date:
      // A date has no time zone: it is the same day wherever it is read.
      return {
        schema: dateSchema({ optional }),
        read: (text) => new Date(parseInstant(text, utc, options.calendar).ms),
      }
    case oid.time:
      return { schema: timeSchema({ optional }), read: (text) => parseTime(text, options.zone) }
    case oid.timetz:
      return { schema: timeSchema({ optional }), read: (text) => parseTime(text, utc) }
    case oid.timestamp:
      return timestampPlan(optional, options, options.zone)
    case oid.timestamptz:
      return timestampPlan(optional, options, utc)
    default:
      return undefined
  }
}

/** A single bit is a boolean, up to eight are a number, more are bytes with the first bit on top. */
function planBits(column: PostgresColumn, optional: boolean): Plan {
  const bits = column.typeModifier
  if (bits === 1) return { schema: primitive('BOOLEAN', { optional }), read: (text) => text === '1' }
  if (bits >= 2 && bits <= 8) {
    return { schema: primitive('INT8', { optional }), read: (text) => (Number.parseInt(text, 2) << 24) >> 24 }
  }
  return { schema: primitive('BYTES', { optional }), read: packBits }
}

function packBits(text: string): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(text.length / 8))
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) === 49) bytes[i >> 3] = (bytes[i >> 3] as number) | (0x80 >> (i & 7))
  }
  return bytes
}

function planNumeric(column: PostgresColumn, optional: boolean, options: ReadOptions): Plan {
  if (column.typeModifier < MODIFIER_HEADER) return decimalPlan(optional, undefined, UNDECLARED_SCALE)
  const modifier = column.typeModifier - MODIFIER_HEADER
  const precision = modifier >> 16
  // Eleven bits, signed since Postgres 15.
  const scale = ((modifier & 0x7ff) ^ 1024) - 1024
  return numericPlan(optional, precision, scale, options.numericMapping)
}
