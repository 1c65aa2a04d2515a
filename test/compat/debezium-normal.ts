// Brings records of Debezium and of ours into one form: without times, positions and versions, long texts as hashes.
import { createHash } from 'node:crypto'

const VOLATILE = new Set(['ts_ms', 'ts_us', 'ts_ns', 'lsn', 'txId', 'version', 'sequence', 'db'])
const LONG = 200

type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

/** JSON with integers beyond 2^53 kept as text, and -0 as 0. */
export function readExact(text: string): Json {
  // Node knows the third parameter; the types do not yet.
  const exact = (_name: string, value: unknown, context?: { source?: string }): unknown => {
    if (typeof value !== 'number') return value
    const unsafe = Number.isInteger(value) && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? '')
    return unsafe ? `#${context?.source}` : value
  }
  return JSON.parse(text, exact) as Json
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16)

function shorten(value: Json): Json {
  if (typeof value === 'string') return value.length > LONG ? `sha256:${value.length}:${hash(value)}` : value
  if (Array.isArray(value)) {
    return value.length > LONG ? `array:${value.length}:${hash(JSON.stringify(value))}` : value.map(shorten)
  }
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shorten(member)]))
}

/** A payload of the log in comparable form; `sequence` keeps whether its parts are there. */
export function normalPayload(text: string | null): Json {
  if (text === null) return null
  const value = shorten(readExact(text))
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value
  const source = value['source']
  const rest = Object.fromEntries(Object.entries(value).filter(([name]) => !VOLATILE.has(name)))
  if (source === undefined || source === null || typeof source !== 'object' || Array.isArray(source)) return rest
  const kept = Object.fromEntries(Object.entries(source).filter(([name]) => !VOLATILE.has(name)))
  const shape = typeof source['sequence'] === 'string' ? source['sequence'].replace(/\d+/g, 'N') : null
  return { ...rest, source: { ...kept, sequence: shape, transactional: source['txId'] !== null } }
}

/** A schema as JsonConverter writes it; the parameters of column.propagate.source.type are left out. */
export function normalSchema(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(normalSchema)
  if (schema === null || typeof schema !== 'object') return schema
  return Object.fromEntries(
    Object.entries(schema).flatMap(([name, member]): [string, Json][] => {
      if (name !== 'parameters') return [[name, normalSchema(member)]]
      const kept = Object.entries(member as object).filter(([key]) => !key.startsWith('__debezium.source.column.'))
      return kept.length === 0 ? [] : [[name, Object.fromEntries(kept) as Json]]
    }),
  )
}

/** Headers as name and text; the run's own id and the prefix of the capture are left out. */
export function normalHeaders(headers: readonly string[]): string[] {
  const pairs: string[] = []
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index] !== '__debezium.context.runId') pairs.push(`${headers[index]}=${headers[index + 1]}`)
  }
  return pairs
}
