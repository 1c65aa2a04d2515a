import { ConnectError } from '@millrace/sdk'
import { compileDatePattern } from './date-pattern.ts'
import { type JsonPointer, parsePointer, parsePointers, textAt, valueAt } from './json-pointer.ts'
import { type HttpSourceConfig, simpleName } from './source-config.ts'

/** What templates see, and what is committed. */
export type Offset = Readonly<Record<string, string>>

/** One record of an answer. */
export interface Item {
  readonly value: unknown
  readonly key: string | undefined
  readonly timestampMs: number | undefined
  /** What the item itself leaves behind. */
  readonly offset: Offset
}

/** Reads the items of answers, as the configuration says where they are. */
export class ItemReader {
  readonly #list: JsonPointer
  readonly #value: JsonPointer
  readonly #offset: ReadonlyMap<string, JsonPointer>
  readonly #answer: ReadonlyMap<string, JsonPointer>
  readonly #config: HttpSourceConfig
  readonly #timestamp: (text: string) => number | undefined

  constructor(config: HttpSourceConfig) {
    this.#config = config
    this.#list = parsePointer(config['http.response.list.pointer'])
    this.#value = parsePointer(config['http.response.record.pointer'])
    this.#offset = parsePointers(config['http.response.record.offset.pointer'])
    this.#answer = parsePointers(config['http.response.offset.pointer'])
    this.#timestamp = timestampReader(config)
  }

  get hasTimestamps(): boolean {
    return this.#offset.has('timestamp')
  }

  /** The items in the order of the answer. */
  items(document: unknown): Item[] {
    const list = valueAt(document, this.#list)
    if (list === undefined || list === null) return []
    return (Array.isArray(list) ? (list as unknown[]) : [list]).map((item) => this.#item(item))
  }

  /** What the whole answer leaves behind. */
  answerOffset(document: unknown): Offset {
    return texts(document, this.#answer)
  }

  #item(item: unknown): Item {
    const value = valueAt(item, this.#value)
    if (value === undefined) {
      const pointer = this.#config['http.response.record.pointer']
      throw new ConnectError(`an item of the answer has nothing at http.response.record.pointer=${pointer}`)
    }
    const offset = texts(item, this.#offset)
    const text = offset['timestamp']
    if (text === undefined) return { value, key: offset['key'], timestampMs: undefined, offset }
    const timestampMs = this.#timestamp(text)
    if (timestampMs === undefined) {
      const pattern = this.#config['http.response.record.timestamp.parser.pattern']
      throw new ConnectError(
        `the timestamp "${text}" does not fit http.response.record.timestamp.parser.pattern=${pattern}`,
      )
    }
    return { value, key: offset['key'], timestampMs, offset: { ...offset, timestamp: isoText(timestampMs) } }
  }
}

/** As Java's Instant writes itself: without milliseconds that are zero. */
export function isoText(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z')
}

function texts(document: unknown, pointers: ReadonlyMap<string, JsonPointer>): Offset {
  const found: Record<string, string> = {}
  for (const [name, pointer] of pointers) {
    const text = textAt(document, pointer)
    if (text !== undefined) found[name] = text
  }
  return found
}

function timestampReader(config: HttpSourceConfig): (text: string) => number | undefined {
  const parser = simpleName(config['http.response.record.timestamp.parser'])
  const pattern = compileDatePattern(
    config['http.response.record.timestamp.parser.pattern'],
    config['http.response.record.timestamp.parser.zone'],
  )
  const millis = (text: string): number | undefined => (/^-?\d{1,15}$/.test(text) ? Number(text) : undefined)
  if (parser === 'EpochMillisTimestampParser') return millis
  if (parser === 'DateTimeFormatterTimestampParser') return (text) => pattern.parse(text)
  // A time in ISO form is taken with any number of digits: the default pattern has three or none.
  return (text) => millis(text) ?? pattern.parse(text) ?? isoTime(text)
}

function isoTime(text: string): number | undefined {
  const ms = /^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(ms) ? undefined : ms
}
