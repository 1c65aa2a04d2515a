import type { Schema } from '@millrace/sdk'
import type { ColumnCodec } from './types/column-codec.ts'

const NUMBER = /^\(?(-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\)?(?:::[\w". (),[\]]+)?$/i
const STRING = /^[BE]?'((?:[^']|'')*)'(?:::[\w". (),[\]]+)?$/is
const NULL = /^NULL(?:::.*)?$/i

/** The text of a literal default as Postgres would print the value, null for none, undefined for an expression. */
export function literalOf(expression: string): string | null | undefined {
  if (NULL.test(expression)) return null
  if (expression === 'true') return 't'
  if (expression === 'false') return 'f'
  const quoted = STRING.exec(expression)
  if (quoted !== null) return quoted[1]?.replaceAll("''", "'")
  return NUMBER.exec(expression)?.[1]
}

const UUID_NAME = 'io.debezium.data.Uuid'
const ZONED_TIMESTAMP_NAME = 'io.debezium.time.ZonedTimestamp'

/**
 * The default for the schema of a column, as Debezium gives it: a literal's value, the zero of the type for an
 * expression such as now(), none for bytes, structs, maps and arrays.
 */
export function schemaDefault(codec: ColumnCodec, expression: string | undefined): unknown {
  if (expression === undefined || codec.withoutDefault || !takesDefault(codec.schema)) return undefined
  const literal = literalOf(expression)
  if (literal === null) return undefined
  if (literal === undefined) return zeroOf(codec)
  try {
    return codec.value(literal)
  } catch {
    // A literal that only the server can read, for example money in words: no default is better than a wrong one.
    return undefined
  }
}

function takesDefault(schema: Schema): boolean {
  return schema.type !== 'STRUCT' && schema.type !== 'MAP' && schema.type !== 'ARRAY'
}

function zeroOf(codec: ColumnCodec): unknown {
  if (codec.schema.name === UUID_NAME) return '00000000-0000-0000-0000-000000000000'
  if (codec.schema.name === ZONED_TIMESTAMP_NAME) return codec.value('1970-01-01 00:00:00+00')
  return codec.fallback
}
