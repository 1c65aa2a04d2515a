import { type ArrayPlaceholder, arrayCodec } from './arrays.ts'
import { binaryCodec, bitsCodec } from './binary.ts'
import { type ColumnCodec, stringCodec, type TypeOptions } from './column-codec.ts'
import { moneyCodec, numericCodec } from './decimals.ts'
import { boxCodec, circleCodec, lineCodec, lsegCodec, pathCodec, pointCodec, polygonCodec } from './geometry.ts'
import { hstoreCodec } from './hstore.ts'
import { intervalCodec } from './intervals.ts'
import { booleanCodec, float32Codec, float64Codec, int16Codec, int32Codec, int64Codec } from './numbers.ts'
import { dateCodec, timeCodec, timestampCodec, timestamptzCodec, timetzCodec } from './times.ts'

/** A row of pg_type, with what belongs to it. */
export interface PostgresType {
  readonly oid: number
  readonly name: string
  /** pg_type.typtype: base, composite, domain, enum, pseudo, range, multirange. */
  readonly kind: string
  /** The type of the elements, where this is an array type. */
  readonly element: PostgresType | undefined
  /** The type below a domain, and its modifier. */
  readonly base: PostgresType | undefined
  readonly baseModifier: number
  /** The labels of an enum in their sort order. */
  readonly labels: readonly string[]
}

const UNLIMITED = 2_147_483_647
const MICROSECOND_DIGITS = 6

const numericParts = (modifier: number): { precision: number | undefined; scale: number } => {
  if (modifier < 4) return { precision: undefined, scale: 0 }
  const packed = modifier - 4
  // Since Postgres 15 a scale may be negative: 11 bits, sign extended.
  return { precision: (packed >> 16) & 0xffff, scale: ((packed & 0x7ff) ^ 0x400) - 0x400 }
}

const digits = (modifier: number): number => (modifier < 0 ? MICROSECOND_DIGITS : modifier)

const strings = stringCodec()
const named = (name: string): ColumnCodec => stringCodec(`io.debezium.data.${name}`)
const jsonCodec = named('Json')
const uuidCodec = named('Uuid')

/** Base types by name: built-in ones, and those of extensions, whose oid differs from database to database. */
const BY_NAME: Readonly<Record<string, (modifier: number, options: TypeOptions) => ColumnCodec>> = {
  bool: () => booleanCodec,
  int2: () => int16Codec,
  int4: () => int32Codec,
  int8: () => int64Codec,
  oid: () => int64Codec,
  float4: () => float32Codec,
  float8: () => float64Codec,
  numeric: (modifier, options) => {
    const { precision, scale } = numericParts(modifier)
    return numericCodec(precision, scale, options)
  },
  money: (_, options) => moneyCodec(options),
  bit: (modifier) => bitsCodec(modifier < 0 ? 1 : modifier),
  varbit: (modifier) => bitsCodec(modifier < 0 ? UNLIMITED : modifier),
  bytea: (_, options) => binaryCodec(options),
  date: (_, options) => dateCodec(options),
  time: (modifier, options) => timeCodec(digits(modifier), options),
  timetz: () => timetzCodec,
  timestamp: (modifier, options) => timestampCodec(digits(modifier), options),
  timestamptz: (modifier) => timestamptzCodec(digits(modifier)),
  interval: (_, options) => intervalCodec(options),
  json: () => jsonCodec,
  jsonb: () => jsonCodec,
  xml: () => named('Xml'),
  uuid: () => uuidCodec,
  ltree: () => named('Ltree'),
  tsvector: () => named('Tsvector'),
  hstore: (_, options) => hstoreCodec(options),
  point: () => pointCodec,
  box: () => boxCodec,
  lseg: () => lsegCodec,
  path: () => pathCodec,
  polygon: () => polygonCodec,
  circle: () => circleCodec,
  line: () => lineCodec,
}

for (const name of [
  'char',
  'bpchar',
  'varchar',
  'text',
  'name',
  'citext',
  'isbn',
  'inet',
  'cidr',
  'macaddr',
  'macaddr8',
  'int4range',
  'int8range',
  'numrange',
  'tsrange',
  'tstzrange',
  'daterange',
]) {
  ;(BY_NAME as Record<string, () => ColumnCodec>)[name] = () => strings
}

/** Element types whose arrays Debezium maps too, and how such an array says "not sent". */
const ARRAYS: Readonly<Record<string, ArrayPlaceholder>> = {
  text: 'text',
  varchar: 'text',
  bpchar: 'none',
  char: 'none',
  citext: 'none',
  json: 'text',
  jsonb: 'text',
  bytea: 'bytes',
  int4: 'codes',
  date: 'codes',
  int8: 'long-codes',
  uuid: 'uuid',
  int2: 'none',
  oid: 'none',
  numeric: 'none',
  float4: 'none',
  float8: 'none',
  bool: 'none',
  time: 'none',
  timetz: 'none',
  timestamp: 'none',
  timestamptz: 'none',
  inet: 'none',
  cidr: 'none',
  macaddr: 'none',
  macaddr8: 'none',
  int4range: 'none',
  int8range: 'none',
  numrange: 'none',
  tsrange: 'none',
  tstzrange: 'none',
  daterange: 'none',
  ltree: 'none',
  hstore: 'none',
  isbn: 'none',
}

/** The codec of a type, or undefined where it has no Connect form of its own (composites, multiranges, ...). */
export function codecOf(type: PostgresType, modifier: number, options: TypeOptions): ColumnCodec | undefined {
  if (type.kind === 'd') {
    if (type.base === undefined) return undefined
    return codecOf(type.base, type.baseModifier >= 0 ? type.baseModifier : modifier, options)
  }
  if (type.kind === 'e') return stringCodec('io.debezium.data.Enum', { allowed: type.labels.join(',') })
  if (type.element !== undefined) return arrayOf(type.element, modifier, options)
  return BY_NAME[type.name]?.(modifier, options)
}

function arrayOf(element: PostgresType, modifier: number, options: TypeOptions): ColumnCodec | undefined {
  const placeholder = element.kind === 'e' ? 'none' : ARRAYS[element.name]
  const codec = placeholder === undefined ? undefined : codecOf(element, modifier, options)
  if (codec === undefined || placeholder === undefined) return undefined
  // Days are numbers only where dates are.
  const fits = placeholder !== 'codes' || typeof codec.fallback === 'number'
  return arrayCodec(codec, fits ? placeholder : 'none')
}

/** The codec for types without a Connect form: the bytes of the text. */
export function unknownCodec(options: TypeOptions): ColumnCodec {
  return binaryCodec(options, (text) => Buffer.from(text, 'utf8'))
}
