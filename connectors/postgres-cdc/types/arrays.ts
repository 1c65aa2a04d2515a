import { createHash } from 'node:crypto'
import { arrayOf, withOptions } from '@millrace/sdk'
import type { ColumnCodec } from './column-codec.ts'

type Nested = string | null | Nested[]

/** Reads Postgres's array text, for example `{1,NULL,"a \"b\""}`; lower bounds (`[2:3]={..}`) are dropped. */
export function parseArray(text: string, delimiter = ','): Nested[] {
  let position = text.indexOf('{')
  const list = (): Nested[] => {
    const values: Nested[] = []
    position++
    while (position < text.length) {
      const char = text[position]
      if (char === '}') {
        position++
        return values
      }
      if (char === delimiter) position++
      else if (char === '{') values.push(list())
      else if (char === '"') values.push(quoted())
      else values.push(bare())
    }
    return values
  }
  const quoted = (): string => {
    let value = ''
    for (position++; position < text.length && text[position] !== '"'; position++) {
      if (text[position] === '\\') position++
      value += text[position]
    }
    position++
    return value
  }
  const bare = (): string | null => {
    const start = position
    while (position < text.length && text[position] !== delimiter && text[position] !== '}') position++
    const value = text.slice(start, position)
    return value === 'NULL' ? null : value
  }
  return position < 0 ? [] : list()
}

/** The kinds of elements whose arrays can say "not sent" in Debezium's way. */
export type ArrayPlaceholder = 'text' | 'bytes' | 'codes' | 'long-codes' | 'uuid' | 'none'

/**
 * An array of the element's optional schema. Arrays of arrays have no Connect type of their own: their elements
 * follow each other.
 */
export function arrayCodec(element: ColumnCodec, placeholder: ArrayPlaceholder): ColumnCodec {
  const convert = (value: Nested): unknown => {
    if (typeof value !== 'string') return null
    const bytes = element.isNull && Buffer.from(value, 'latin1')
    return bytes && element.isNull?.(bytes, 0, bytes.length) ? null : element.value(value)
  }
  const flatten = (values: readonly Nested[]): Nested[] =>
    values.flatMap((value) => (Array.isArray(value) ? flatten(value) : [value]))
  const fill = placeholders[placeholder]
  return {
    schema: arrayOf(withOptions(element.schema, { optional: true })),
    value: (text) => flatten(parseArray(text)).map(convert),
    fallback: [],
    ...(fill === undefined ? {} : { placeholder: (bytes: Buffer) => fill(bytes, element) }),
  }
}

const placeholders: Readonly<Record<ArrayPlaceholder, ((bytes: Buffer, element: ColumnCodec) => unknown) | undefined>> =
  {
    text: (bytes, element) => [element.placeholder?.(bytes)],
    bytes: (bytes, element) => [element.placeholder?.(bytes)],
    codes: (bytes) => [...bytes],
    'long-codes': (bytes) => [...bytes].map(BigInt),
    uuid: (bytes) => [nameUuid(bytes)],
    none: undefined,
  }

/** java.util.UUID.nameUUIDFromBytes: a version 3 UUID without a name space. */
function nameUuid(bytes: Buffer): string {
  const hash = createHash('md5').update(bytes).digest()
  hash[6] = ((hash[6] as number) & 0x0f) | 0x30
  hash[8] = ((hash[8] as number) & 0x3f) | 0x80
  const hex = hash.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
