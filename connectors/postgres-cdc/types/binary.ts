import { primitive } from '@millrace/sdk'
import { type ColumnCodec, semantic, type TypeOptions } from './column-codec.ts'
import { booleanCodec } from './numbers.ts'

const ONE = 0x31

/** bytea_output hex: `\x0102`. The old escape format is read too. */
export function parseBytea(text: string): Buffer {
  if (text.startsWith('\\x')) return Buffer.from(text.slice(2), 'hex')
  const bytes: number[] = []
  for (let index = 0; index < text.length; index++) {
    if (text[index] !== '\\') bytes.push(text.charCodeAt(index))
    else if (text[index + 1] === '\\') {
      bytes.push(0x5c)
      index++
    } else {
      bytes.push(Number.parseInt(text.slice(index + 1, index + 4), 8))
      index += 3
    }
  }
  return Buffer.from(bytes)
}

const ENCODINGS = { base64: 'base64', 'base64-url-safe': 'base64url', hex: 'hex' } as const

/** Bytes in the form that binary.handling.mode asks for. */
export function binaryValue(bytes: Buffer, mode: TypeOptions['binaryMode']): Buffer | string {
  if (mode === 'bytes') return bytes
  const text = bytes.toString(ENCODINGS[mode])
  // Java's URL-safe encoder keeps the padding.
  return mode === 'base64-url-safe' ? text.padEnd(Math.ceil(text.length / 4) * 4, '=') : text
}

/** A column of bytes given by a function from text to bytes. */
export function binaryCodec(options: TypeOptions, parse: (text: string) => Buffer = parseBytea): ColumnCodec {
  const mode = options.binaryMode
  return {
    schema: primitive(mode === 'bytes' ? 'BYTES' : 'STRING'),
    value: (text) => binaryValue(parse(text), mode),
    withoutDefault: true,
    fallback: mode === 'bytes' ? Buffer.alloc(0) : '',
    placeholder: (placeholder) => binaryValue(placeholder, mode),
  }
}

/** Little endian, as many bytes as the highest set bit needs. */
export function bitsValue(text: string): Buffer {
  const bytes = Buffer.alloc(Math.ceil(text.length / 8))
  for (let bit = 0; bit < text.length; bit++) {
    if (text.charCodeAt(text.length - 1 - bit) === ONE) bytes[bit >> 3] = (bytes[bit >> 3] as number) | (1 << (bit & 7))
  }
  let length = bytes.length
  while (length > 0 && bytes[length - 1] === 0) length--
  return bytes.subarray(0, length)
}

/** bit(n) and varbit(n); one bit is a boolean. */
export function bitsCodec(length: number): ColumnCodec {
  if (length === 1) {
    return {
      ...booleanCodec,
      value: (text) => text === '1',
      write: (out, source, start) => out.ascii(source[start] === ONE ? 'true' : 'false'),
    }
  }
  return {
    schema: primitive('BYTES', { ...semantic('io.debezium.data.Bits'), parameters: { length: String(length) } }),
    value: bitsValue,
    fallback: Buffer.alloc(0),
  }
}
