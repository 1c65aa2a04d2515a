import { isUtf8 } from 'node:buffer'
import { JsonOutput } from '../_shared/json-output/index.ts'

const COMMA = 0x2c
const COLON = 0x3a
const CLOSING_BRACE = 0x7d
/** More names are not compared with one another. */
const NAMES_MAX = 16

const ID = Buffer.from('{"id":')
const BODY = Buffer.from(',"body":{')
const STREAM = Buffer.from('},"stream":')

/**
 * The JSON of entries, straight from the bytes that Redis sent: text on the way would cost three times as much. Each is
 * good until the next one of its part.
 */
export class EntryJson {
  readonly #keys = new JsonOutput()
  readonly #values = new JsonOutput()
  readonly #stream: Buffer

  constructor(stream: string) {
    this.#stream = Buffer.from(stream)
  }

  ofKey(id: string): Uint8Array {
    this.#keys.begin()
    this.#quoteId(this.#keys, id)
    return this.#keys.take()
  }

  ofValue(id: string, fields: readonly Buffer[]): Uint8Array {
    this.#write(id, isPlain(fields) ? fields : distinct(fields))
    const json = this.#values.take()
    if (isUtf8(json)) return json
    this.#write(id, distinct(fields))
    return this.#values.take()
  }

  #write(id: string, fields: readonly Buffer[]): void {
    const output = this.#values
    output.begin()
    output.raw(ID)
    this.#quoteId(output, id)
    output.raw(BODY)
    for (let at = 0; at + 1 < fields.length; at += 2) {
      const name = fields[at]!
      const value = fields[at + 1]!
      if (at > 0) output.byte(COMMA)
      output.string(name, 0, name.length)
      output.byte(COLON)
      output.string(value, 0, value.length)
    }
    output.raw(STREAM)
    output.string(this.#stream, 0, this.#stream.length)
    output.byte(CLOSING_BRACE)
  }

  /** Ids are digits with a dash between them. */
  #quoteId(output: JsonOutput, id: string): void {
    output.ascii(`"${id}"`)
  }
}

/** Whether each name is there once. */
function isPlain(fields: readonly Buffer[]): boolean {
  if (fields.length > 2 * NAMES_MAX) return false
  for (let at = 2; at < fields.length; at += 2) {
    for (let before = 0; before < at; before += 2) if (fields[before]!.equals(fields[at]!)) return false
  }
  return true
}

/** What the map makes of the fields: of a name that comes again the last value, bytes that are no UTF-8 replaced. */
function distinct(fields: readonly Buffer[]): Buffer[] {
  return [...bodyOf(fields)].flat().map((text) => Buffer.from(text))
}

/** The fields of an entry, names and values in turn, as the map that its record has. */
export function bodyOf(fields: readonly Buffer[]): Map<string, string> {
  const body = new Map<string, string>()
  for (let at = 0; at + 1 < fields.length; at += 2) body.set(fields[at]!.toString(), fields[at + 1]!.toString())
  return body
}
