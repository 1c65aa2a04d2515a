import { primitive, type Schema, type SchemaOptions } from '@millrace/sdk'
import type { JsonOutput } from '../../_shared/json-output/index.ts'

/** How values of one Postgres type become Connect data. */
export interface ColumnCodec {
  /** The schema of a required column without default. */
  readonly schema: Schema
  /** The Connect value of the text that Postgres prints. */
  value(text: string): unknown
  /** Writes the JSON of `value` straight from the text's bytes; left out where that is not worth it. */
  readonly write?: (out: JsonOutput, source: Buffer, start: number, end: number) => void
  /** Texts without a Connect value, such as NaN in a Decimal; they become null. */
  readonly isNull?: (source: Buffer, start: number, end: number) => boolean
  /** Set where columns have no default in their schema, whatever the database says. */
  readonly withoutDefault?: true
  /** Stands in for a value that is not known though the column is NOT NULL, as in the old row of a delete. */
  readonly fallback: unknown
  /** Stands in for a large value that did not change and was not sent; left out where the type cannot hold any text. */
  readonly placeholder?: (placeholder: Buffer) => unknown
}

/** The settings that choose representations. */
export interface TypeOptions {
  readonly decimalMode: 'precise' | 'double' | 'string'
  readonly timeMode:
    | 'adaptive'
    | 'adaptive_time_microseconds'
    | 'connect'
    | 'isostring'
    | 'microseconds'
    | 'nanoseconds'
  readonly intervalMode: 'numeric' | 'string'
  readonly binaryMode: 'bytes' | 'base64' | 'base64-url-safe' | 'hex'
  readonly hstoreMode: 'json' | 'map'
  readonly moneyFractionDigits: number
}

const text = (placeholder: Buffer): string => placeholder.toString('utf8')
const writeString = (out: JsonOutput, source: Buffer, start: number, end: number): void =>
  out.string(source, start, end)

/** Types whose Connect form is the text itself. */
export function stringCodec(name?: string, parameters?: Readonly<Record<string, string>>): ColumnCodec {
  const options: SchemaOptions = name === undefined ? {} : { name, version: 1 }
  if (parameters !== undefined) options.parameters = parameters
  return {
    schema: primitive('STRING', options),
    value: (value) => value,
    write: writeString,
    fallback: '',
    placeholder: text,
  }
}

/** Types whose JSON number is the text itself. */
export const writeRaw = (out: JsonOutput, source: Buffer, start: number, end: number): void =>
  out.range(source, start, end)

/** A semantic name of Debezium with version 1. */
export const semantic = (name: string): SchemaOptions => ({ name, version: 1 })
