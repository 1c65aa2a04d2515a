import type { SchemaAndValue } from './converter.ts'
import { Decimal } from './decimal.ts'
import {
  arrayOf,
  dateSchema,
  decimalSchema,
  mapOf,
  type Schema,
  schemas,
  timeSchema,
  timestampSchema,
} from './schema.ts'

const DATE = dateSchema()
const TIME = timeSchema()
const TIMESTAMP = timestampSchema()
const WIDENING: readonly Schema[] = [
  schemas.int8,
  schemas.int16,
  schemas.int32,
  schemas.int64,
  schemas.float32,
  schemas.float64,
]
const NULL: SchemaAndValue = { schema: null, value: null }

/** How deep arrays and maps may nest; deeper text stays text. */
const MAX_DEPTH = 100

/**
 * Infers schema and value of a text as Kafka's `Values.parseString`. Text that is nothing else is a string.
 * Arrays and maps whose members differ in type are schemaless here; Java gives them a schema with a hole.
 */
export function inferValue(text: string): SchemaAndValue {
  const asString = { schema: schemas.string, value: text }
  const trimmed = text.trim()
  if (trimmed === '') return asString
  const reader = new Reader(trimmed)
  const value = reader.value(0)
  return value !== undefined && reader.atEnd ? value : asString
}

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  get atEnd(): boolean {
    return this.#at === this.#text.length
  }

  /** The value that starts here, or undefined when there is none. Quoted strings exist within arrays and maps only. */
  value(depth: number): SchemaAndValue | undefined {
    if (depth > MAX_DEPTH) return undefined
    if (this.#take(/\[\s*/y) !== undefined) return this.#array(depth + 1)
    if (this.#take(/\{\s*/y) !== undefined) return this.#map(depth + 1)
    const word = this.#take(/(?:true|false|null)(?![^\s,:\]}])/y)
    if (word !== undefined) return word === 'null' ? NULL : { schema: schemas.boolean, value: word === 'true' }
    const moment = this.#take(
      /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z|\d{4}-\d{2}-\d{2}|\d{2}:\d{2}:\d{2}\.\d{3}Z/y,
    )
    if (moment !== undefined) return readMoment(moment)
    const number = this.#take(/[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d{1,3})?(?![^\s,:\]}])/y)
    if (number !== undefined) return readNumber(number)
    const quoted = depth > 0 ? this.#take(/"(?:[^"\\]|\\[^])*"/y) : undefined
    return quoted === undefined ? undefined : { schema: schemas.string, value: quoted.slice(1, -1) }
  }

  #array(depth: number): SchemaAndValue | undefined {
    const items: SchemaAndValue[] = []
    while (this.#take(/\]/y) === undefined) {
      const item = this.value(depth)
      // Kafka takes an array with a null for plain text.
      if (!item || item.schema === null || !this.#endOfMember(']')) return undefined
      items.push(item)
    }
    const itemSchema = commonSchema(items)
    const values = items.map((item) => widen(item, itemSchema))
    return { schema: itemSchema ? arrayOf(itemSchema) : null, value: values }
  }

  #map(depth: number): SchemaAndValue | undefined {
    const keys: SchemaAndValue[] = []
    const members: SchemaAndValue[] = []
    while (this.#take(/\}/y) === undefined) {
      const key = this.value(depth)
      if (!key || key.schema === null || this.#take(/\s*:\s*/y) === undefined) return undefined
      const member = this.value(depth)
      if (!member || !this.#endOfMember('}')) return undefined
      keys.push(key)
      members.push(member)
    }
    const keySchema = commonSchema(keys)
    const memberSchema = commonSchema(members)
    const entries = keys.map((key, i): [unknown, unknown] => [
      widen(key, keySchema),
      widen(members[i] as SchemaAndValue, memberSchema),
    ])
    return { schema: keySchema && memberSchema ? mapOf(keySchema, memberSchema) : null, value: new Map(entries) }
  }

  /** Takes the comma before another member, or stops before the closing bracket. */
  #endOfMember(close: string): boolean {
    this.#take(/\s+/y)
    if (this.#text[this.#at] === close) return true
    return this.#take(/,\s*/y) !== undefined && this.#text[this.#at] !== close
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#text)
    if (!match) return undefined
    this.#at = pattern.lastIndex
    return match[0]
  }
}

/** As lenient as Java's SimpleDateFormat: a 13th month is the first of the next year. */
function readMoment(text: string): SchemaAndValue {
  const parts = text.split(/[-T:.Z]/).map(Number)
  if (text.length === 13) {
    const [hour = 0, minute = 0, second = 0, ms = 0] = parts
    return { schema: TIME, value: ((hour * 60 + minute) * 60 + second) * 1000 + ms }
  }
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0, ms = 0] = parts
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  if (text.length === 10) return { schema: DATE, value: date }
  date.setUTCHours(hour, minute, second, ms)
  return { schema: TIMESTAMP, value: date }
}

/** The smallest integer type that holds a whole number, else the smallest floating one, else Decimal. */
function readNumber(text: string): SchemaAndValue | undefined {
  const decimal = Decimal.parse(text)
  const unit = 10n ** BigInt(decimal.scale)
  if (decimal.unscaled % unit === 0n) {
    const whole = decimal.unscaled / unit
    for (const [bits, schema] of [
      [8, schemas.int8],
      [16, schemas.int16],
      [32, schemas.int32],
    ] as const) {
      if (BigInt.asIntN(bits, whole) === whole) return { schema, value: Number(whole) }
    }
    if (BigInt.asIntN(64, whole) === whole) return { schema: schemas.int64, value: whole }
    if (/^[+-]?\d+$/.test(text)) return { schema: decimalSchema(0), value: new Decimal(whole, 0) }
  }
  const double = Number(text)
  const float = Math.fround(double)
  if (Number.isFinite(float)) return { schema: schemas.float32, value: float }
  return Number.isFinite(double) ? { schema: schemas.float64, value: double } : undefined
}

/** One schema for all members: equal ones, or the widest of numbers. */
function commonSchema(members: readonly SchemaAndValue[]): Schema | null {
  let common: Schema | null = members[0]?.schema ?? null
  for (const { schema } of members) {
    if (common === null || schema === null) return null
    if (sameSchema(common, schema)) continue
    const rank = Math.max(WIDENING.indexOf(common), WIDENING.indexOf(schema))
    if (!WIDENING.includes(common) || !WIDENING.includes(schema)) return null
    common = WIDENING[rank] ?? null
  }
  return common
}

function sameSchema(a: Schema | undefined, b: Schema | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  if (a.type !== b.type || a.name !== b.name) return false
  return sameSchema(a.keySchema, b.keySchema) && sameSchema(a.valueSchema, b.valueSchema)
}

function widen({ schema, value }: SchemaAndValue, target: Schema | null): unknown {
  if (target === null || schema === target) return value
  if (target.type === 'INT64' && typeof value === 'number') return BigInt(value)
  return typeof value === 'bigint' ? Number(value) : value
}
