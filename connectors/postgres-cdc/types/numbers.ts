import { primitive } from '@millrace/sdk'
import { floatText } from '../json/json-value.ts'
import type { JsonOutput } from '../../_shared/json-output/index.ts'
import { type ColumnCodec, writeRaw } from './column-codec.ts'

const TRUE = 0x74

export const booleanCodec: ColumnCodec = {
  schema: primitive('BOOLEAN'),
  value: (text) => text === 't' || text === 'true',
  write: (out, source, start) => out.ascii(source[start] === TRUE ? 'true' : 'false'),
  fallback: false,
}

const integerCodec = (type: 'INT16' | 'INT32'): ColumnCodec => ({
  schema: primitive(type),
  value: Number,
  write: writeRaw,
  fallback: 0,
})

export const int16Codec = integerCodec('INT16')
export const int32Codec = integerCodec('INT32')

export const int64Codec: ColumnCodec = {
  schema: primitive('INT64'),
  value: BigInt,
  write: writeRaw,
  fallback: 0n,
}

/** True when the text is a JSON number with a point or an exponent, which most floats are. */
function isPlainFloat(source: Buffer, start: number, end: number): boolean {
  for (let index = start; index < end; index++) {
    const byte = source[index] as number
    if (byte === 0x2e || byte === 0x65) return true
    // N and I begin what is not a number.
    if (byte === 0x4e || byte === 0x49) return false
  }
  return false
}

function writeFloat(out: JsonOutput, source: Buffer, start: number, end: number): void {
  if (isPlainFloat(source, start, end)) out.range(source, start, end)
  else out.ascii(floatText(Number(source.toString('latin1', start, end))))
}

const floatCodec = (type: 'FLOAT32' | 'FLOAT64'): ColumnCodec => ({
  schema: primitive(type),
  value: Number,
  write: writeFloat,
  fallback: 0,
})

export const float32Codec = floatCodec('FLOAT32')
export const float64Codec = floatCodec('FLOAT64')
