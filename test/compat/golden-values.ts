import { Decimal, isDecimal, logicalNames, type Schema } from '@millrace/sdk'

/** A value of a golden case: see ConnectData.java. Bytes are hex, decimals text, dates milliseconds, maps pairs. */
export function buildValue(schema: Schema | null, json: any): unknown {
  if (json === null || json === undefined || schema === null) return json ?? null
  if (schema.name === logicalNames.decimal) return Decimal.parse(json)
  if (schema.name === logicalNames.date || schema.name === logicalNames.timestamp) return new Date(json)
  switch (schema.type) {
    case 'INT64':
      return BigInt(json)
    case 'FLOAT32':
      return Math.fround(Number(json))
    case 'FLOAT64':
      return Number(json)
    case 'BYTES':
      return Buffer.from(json, 'hex')
    case 'ARRAY':
      return json.map((item: any) => buildValue(schema.valueSchema ?? null, item))
    case 'MAP':
      return new Map(
        json.map((pair: any) => [
          buildValue(schema.keySchema ?? null, pair[0]),
          buildValue(schema.valueSchema ?? null, pair[1]),
        ]),
      )
    case 'STRUCT':
      return Object.fromEntries(schema.fields.map((f) => [f.name, buildValue(f.schema, json[f.name])]))
    default:
      return json
  }
}

/** A value in the form of ConnectData.java: i integer, f floating, d decimal, b bytes, t date, m map, s struct. */
export function dumpValue(schema: Schema | null, value: any): unknown {
  if (value === null || value === undefined) return null
  if (typeof value === 'boolean' || typeof value === 'string') return value
  if (typeof value === 'bigint') return { i: value.toString() }
  if (typeof value === 'number') {
    if (schema?.name === logicalNames.time) return { t: value }
    const floating = schema ? schema.type.startsWith('FLOAT') : !Number.isInteger(value)
    return floating ? { f: value } : { i: String(value) }
  }
  if (isDecimal(value)) return { d: value.toString() }
  if (value instanceof Date) return { t: value.getTime() }
  if (value instanceof Uint8Array) return { b: Buffer.from(value).toString('hex') }
  if (Array.isArray(value)) return value.map((item) => dumpValue(schema?.valueSchema ?? null, item))
  if (schema?.type === 'STRUCT') {
    return { s: schema.fields.map((f) => [f.name, dumpValue(f.schema, value[f.name])]) }
  }
  const entries: [unknown, unknown][] = value instanceof Map ? [...value] : Object.entries(value)
  const dumped = entries.map(([key, member]) => [
    dumpValue(schema?.keySchema ?? null, key),
    dumpValue(schema?.valueSchema ?? null, member),
  ])
  return { m: dumped.sort((a, b) => (JSON.stringify(a[0]) < JSON.stringify(b[0]) ? -1 : 1)) }
}

/** Brings a dump to the form in which both sides are compared: numbers as numbers, of the given precision. */
export function normaliseDump(dump: any, options: { float32?: boolean; schemaless?: boolean } = {}): unknown {
  if (Array.isArray(dump)) return dump.map((item) => normaliseDump(item, options))
  if (dump === null || typeof dump !== 'object') return dump
  if (!('f' in dump)) {
    return Object.fromEntries(Object.entries(dump).map(([key, value]) => [key, normaliseDump(value, options)]))
  }
  const number = options.float32 ? Math.fround(Number(dump.f)) : Number(dump.f)
  // A schemaless JavaScript number has no mark of being a double.
  return options.schemaless && Number.isInteger(number) ? { i: String(number) } : { f: number }
}
