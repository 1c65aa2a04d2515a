import { DataError, type Schema, type SchemaAndValue } from '@millrace/sdk'
import { CLOSE_BRACE } from './json-bytes.ts'
import { compileDecoder, type Decode, hasDecimal, parseExactJson, parseJson } from './json-decoder.ts'
import { decodeSchema } from './json-schema.ts'
import { structReader, UNREAD } from './json-struct-reader.ts'

const HEAD = '{"schema":'
const PAYLOAD = ',"payload":'
const MAX_TOPICS = 10_000

const WRONG_ENVELOPE =
  'JsonConverter with schemas.enable requires "schema" and "payload" fields and may not contain additional fields. ' +
  'If you are trying to deserialize plain JSON data, set schemas.enable=false in your converter configuration.'

/** A schema with what reads its payloads. Throws SyntaxError when they are not JSON. */
export interface PayloadReader {
  readonly schema: Schema | null
  read(text: string): unknown
  readBytes(bytes: Buffer, start: number, end: number): unknown
}

/** Makes the reader of payloads of a schema; null reads schemaless payloads. */
export function payloadReader(schema: Schema | null, replaceNullWithDefault: boolean): PayloadReader {
  const read = schema === null ? parseJson : textReader(schema, replaceNullWithDefault)
  const readStruct = schema === null ? undefined : structReader(schema, replaceNullWithDefault)
  return {
    schema,
    read,
    readBytes(bytes, start, end) {
      const struct = readStruct === undefined ? UNREAD : readStruct(bytes, start, end)
      return struct === UNREAD ? read(bytes.toString('utf8', start, end)) : struct
    },
  }
}

function textReader(schema: Schema, replaceNullWithDefault: boolean): (text: string) => unknown {
  const decode: Decode = compileDecoder(schema, replaceNullWithDefault)
  const parse = hasDecimal(schema) ? parseExactJson : parseJson
  return (text) => decode(parse(text))
}

/** What messages began with, and what reads the rest. */
interface Known {
  readonly head: Buffer
  readonly reader: PayloadReader
}

/**
 * Reads messages that carry their schema. The schema is most of such a message and hardly ever changes, so its bytes
 * are compared with those seen before, and only the payload is parsed. Equal schemas give the same object.
 */
export class EnvelopeReader {
  readonly #cacheSize: number
  readonly #replaceNullWithDefault: boolean
  /** The text up to the payload, least recently used first. */
  readonly #readers = new Map<string, PayloadReader>()
  /** What the last message of each topic began with. */
  readonly #last = new Map<string, Known>()

  constructor(options: { cacheSize: number; replaceNullWithDefault: boolean }) {
    this.#cacheSize = Math.max(1, options.cacheSize)
    this.#replaceNullWithDefault = options.replaceNullWithDefault
  }

  read(topic: string, bytes: Buffer): SchemaAndValue {
    const last = this.#last.get(topic)
    const value = last ? tryRead(last, bytes) : FAILED
    if (last && value !== FAILED) return { schema: last.reader.schema, value }
    return this.#readSlowly(topic, bytes)
  }

  #readSlowly(topic: string, bytes: Buffer): SchemaAndValue {
    const text = bytes.toString('utf8')
    const end = envelopeHeadLength(text)
    const head = end === undefined ? undefined : text.slice(0, end)
    const cached = head === undefined ? undefined : this.#readers.get(head)
    if (head !== undefined && cached) {
      const value = tryRead(this.#remember(topic, head, cached), bytes)
      if (value !== FAILED) return { schema: cached.schema, value }
    }
    const { schema, payload } = parseEnvelope(text)
    const reader = payloadReader(decodeSchema(schema), this.#replaceNullWithDefault)
    if (head !== undefined) this.#remember(topic, head, reader)
    return { schema: reader.schema, value: reader.read(payload) }
  }

  #remember(topic: string, head: string, reader: PayloadReader): Known {
    this.#readers.delete(head)
    this.#readers.set(head, reader)
    if (this.#last.size >= MAX_TOPICS) this.#last.clear()
    const known = { head: Buffer.from(head), reader }
    this.#last.set(topic, known)
    if (this.#readers.size > this.#cacheSize) {
      const [oldest] = this.#readers.keys()
      if (oldest !== undefined) this.#readers.delete(oldest)
    }
    return known
  }
}

const FAILED: unique symbol = Symbol('not such a head with the payload alone')

/** Reads what is between the head and the last brace; another member behind the payload is no JSON there. */
function tryRead({ head, reader }: Known, bytes: Buffer): unknown {
  const end = bytes.length - 1
  if (end <= head.length || bytes[end] !== CLOSE_BRACE) return FAILED
  if (bytes.compare(head, 0, head.length, 0, head.length) !== 0) return FAILED
  try {
    return reader.readBytes(bytes, head.length, end)
  } catch (error) {
    if (error instanceof SyntaxError) return FAILED
    throw error
  }
}

/** Splits an envelope into its schema and the text of its payload, whatever the order and blanks. */
function parseEnvelope(text: string): { readonly schema: unknown; readonly payload: string } {
  const envelope = parseJson(text)
  if (typeof envelope !== 'object' || envelope === null || Array.isArray(envelope)) throw new DataError(WRONG_ENVELOPE)
  const keys = Object.keys(envelope)
  if (keys.length !== 2 || !keys.includes('schema') || !keys.includes('payload')) throw new DataError(WRONG_ENVELOPE)
  return { schema: (envelope as { schema: unknown }).schema, payload: payloadText(text) }
}

/** The text of the payload; its digits must survive for decimals. */
function payloadText(text: string): string {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (char === '"') {
      const end = endOfString(text, at)
      if (depth === 1 && text.slice(at, end) === '"payload"' && /^\s*:/.test(text.slice(end, end + 64))) {
        const start = text.indexOf(':', end) + 1
        return text.slice(start, endOfValue(text, start))
      }
      at = end - 1
    } else if (char === '{' || char === '[') depth++
    else if (char === '}' || char === ']') depth--
  }
  throw new DataError(WRONG_ENVELOPE)
}

/** How long `{"schema":...,"payload":` is at the start of the text; undefined when the text does not start so. */
function envelopeHeadLength(text: string): number | undefined {
  if (!text.startsWith(HEAD)) return undefined
  const end = endOfValue(text, HEAD.length)
  return text.startsWith(PAYLOAD, end) ? end + PAYLOAD.length : undefined
}

/** Where the JSON value that starts here ends: at the comma or bracket of its surroundings. */
function endOfValue(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length; at++) {
    const char = text[at]
    if (char === '"') at = endOfString(text, at) - 1
    else if (char === '{' || char === '[') depth++
    else if (char === '}' || char === ']' || (char === ',' && depth === 0)) {
      if (depth === 0) return at
      depth--
    }
  }
  return text.length
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '"') return at + 1
  }
  return text.length
}
