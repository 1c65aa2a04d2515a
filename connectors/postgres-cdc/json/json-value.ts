import { type Decimal, logicalNames, type Schema } from '@millrace/sdk'
import { bigintBytes } from './decimal-bytes.ts'
import type { JsonOutput } from '../../_shared/json-output/index.ts'

const MS_PER_DAY = 86_400_000

/**
 * Writes a value as Connect's JsonConverter does with its default options: a null takes the schema's default,
 * bytes and decimals are base64, logical times are numbers.
 */
export function writeJsonValue(out: JsonOutput, schema: Schema, given: unknown): void {
  const value = given === null || given === undefined ? schema.default : given
  if (value === null || value === undefined) {
    out.ascii('null')
    return
  }
  switch (schema.type) {
    case 'STRING':
      out.text(value as string)
      return
    case 'BOOLEAN':
      out.ascii(value === true ? 'true' : 'false')
      return
    case 'INT8':
    case 'INT16':
    case 'INT32':
      if (schema.name === logicalNames.date) out.integer(Math.floor((value as Date).getTime() / MS_PER_DAY))
      else out.integer(value as number)
      return
    case 'INT64':
      out.ascii(
        schema.name === logicalNames.timestamp ? String((value as Date).getTime()) : (value as bigint).toString(),
      )
      return
    case 'FLOAT32':
    case 'FLOAT64':
      out.ascii(floatText(value as number))
      return
    case 'BYTES':
      out.base64(
        schema.name === logicalNames.decimal ? bigintBytes((value as Decimal).unscaled) : (value as Uint8Array),
      )
      return
    case 'ARRAY':
      writeArray(out, schema, value as readonly unknown[])
      return
    case 'MAP':
      writeMap(out, schema, value as ReadonlyMap<unknown, unknown>)
      return
    case 'STRUCT':
      writeStruct(out, schema, value as Readonly<Record<string, unknown>>)
  }
}

/** A float as JSON: integers keep a point, so that schemaless readers see a float; what JSON cannot say is a string. */
export function floatText(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return `${Object.is(value, -0) ? '-0' : value}.0`
  return String(value)
}

function writeArray(out: JsonOutput, schema: Schema, values: readonly unknown[]): void {
  out.ascii('[')
  values.forEach((element, index) => {
    if (index > 0) out.ascii(',')
    writeJsonValue(out, schema.valueSchema as Schema, element)
  })
  out.ascii(']')
}

/** Maps of the connector have string keys, so they are JSON objects. */
function writeMap(out: JsonOutput, schema: Schema, map: ReadonlyMap<unknown, unknown>): void {
  out.ascii('{')
  let first = true
  for (const [key, value] of map) {
    if (!first) out.ascii(',')
    first = false
    out.text(key as string)
    out.ascii(':')
    writeJsonValue(out, schema.valueSchema as Schema, value)
  }
  out.ascii('}')
}

function writeStruct(out: JsonOutput, schema: Schema, value: Readonly<Record<string, unknown>>): void {
  out.ascii('{')
  schema.fields.forEach((field, index) => {
    if (index > 0) out.ascii(',')
    out.text(field.name)
    out.ascii(':')
    writeJsonValue(out, field.schema, value[field.name])
  })
  out.ascii('}')
}
