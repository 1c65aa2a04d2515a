import { createHash } from 'node:crypto'
import { compileRegex, DataError, type RawConfig, type Schema, type SinkRecord } from '@millrace/sdk'
import { type JsonEncode, jsonEncoder } from '../_shared/formats/index.ts'
import type { BatchItem, Write } from '../_shared/sink-batcher/index.ts'
import type { HttpSinkConfig } from './sink-config.ts'
import { type BatchForm, batchForm, isConfluent } from './sink-settings.ts'
import type { HttpRequest } from './transport.ts'
import { parsePairs } from './words.ts'

/** What a record is in a request. */
export interface Part {
  readonly method: string
  readonly url: string
  readonly text: string
}

/** Makes requests of records. */
export class RequestMaker {
  readonly #config: HttpSinkConfig
  readonly #form: BatchForm
  readonly #headers: Readonly<Record<string, string>>
  readonly #onNull: 'ignore' | 'log' | 'delete' | 'fail'
  readonly #replacements: readonly (readonly [RegExp, string])[]
  readonly #encoders = new WeakMap<Schema, JsonEncode>()
  readonly #schemaless: JsonEncode

  constructor(config: HttpSinkConfig, raw: RawConfig) {
    this.#config = config
    this.#form = batchForm(config, raw)
    const format = config['request.body.format']
    this.#headers = {
      'content-type': config['http.headers.content.type'] || (format === 'string' ? 'text/plain' : 'application/json'),
      ...parsePairs(config['http.headers.additional'].join('\n'), '\n', ':'),
      ...parsePairs(config.headers, config['header.separator'], ':'),
    }
    this.#onNull = config['behavior.on.null.values'] ?? (isConfluent(raw) ? 'ignore' : 'fail')
    this.#replacements = replacementsOf(config)
    this.#schemaless = jsonEncoder(null, config['decimal.format'] === 'NUMERIC')
  }

  get recordsMax(): number {
    return this.#form.records
  }

  /** What is to be sent for a record; null for nothing. `onLeftOut` hears of records that the log shall know of. */
  write(record: SinkRecord, onLeftOut: (record: SinkRecord) => void): Write<Part> | null {
    const key = record.key === null || record.key === undefined ? undefined : this.#text(record.keySchema, record.key)
    if (record.value === null || record.value === undefined) {
      if (this.#onNull === 'log') onLeftOut(record)
      if (this.#onNull === 'ignore' || this.#onNull === 'log') return null
      if (this.#onNull === 'fail') throw new DataError('it has no value; see behavior.on.null.values')
      if (key === undefined) throw new DataError('it has neither key nor value, so nothing says what to delete')
      const url = `${this.#fill(this.#config['http.url'], record.topic, key)}/${encodeURIComponent(key)}`
      return this.#part({ method: 'DELETE', url, text: '' }, record, key)
    }
    const url = this.#fill(this.#config['http.url'], record.topic, key)
    return this.#part({ method: this.#config['request.method'], url, text: this.#body(record, key) }, record, key)
  }

  request(items: readonly BatchItem<Part>[]): HttpRequest {
    const { method, url } = items[0]!.data
    const { prefix, suffix, separator } = this.#form
    const isEmpty = items.every(({ data }) => data.text === '')
    const name = this.#config['http.idempotency.header']
    return {
      method,
      url,
      headers: {
        ...this.#headers,
        ...(name === '' ? {} : { [name]: idempotencyKey(items.map(({ record }) => record)) }),
      },
      body: isEmpty ? undefined : prefix + items.map(({ data }) => data.text).join(separator) + suffix,
    }
  }

  #part(part: Part, record: SinkRecord, key: string | undefined): Write<Part> {
    const group = fill(this.#config['batch.key.pattern'], record.topic, key ?? '')
    // Deletes are of one record each; their URLs differ.
    return { target: `${part.method} ${part.url} ${group}`, key, bytes: part.text.length + 1, data: part }
  }

  #body(record: SinkRecord, key: string | undefined): string {
    let text = this.#text(record.valueSchema, record.value, this.#config['request.body.format'])
    for (const [pattern, replacement] of this.#replacements) {
      text = text.replace(pattern, fill(replacement, record.topic, key ?? ''))
    }
    return text
  }

  #text(schema: Schema | null, value: unknown, format: 'auto' | 'json' | 'string' = 'auto'): string {
    if (format !== 'json') {
      if (typeof value === 'string') return value
      if (value instanceof Uint8Array)
        return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8')
      if (format === 'string') return String(value as number)
    }
    if (schema === null) return this.#schemaless(value)
    let encode = this.#encoders.get(schema)
    if (!encode)
      this.#encoders.set(schema, (encode = jsonEncoder(schema, this.#config['decimal.format'] === 'NUMERIC')))
    return encode(value)
  }

  #fill(template: string, topic: string, key: string | undefined): string {
    if (key === undefined && template.includes('${key}')) throw new DataError('it has no key, which http.url needs')
    return fill(template, encodeURIComponent(topic), encodeURIComponent(key ?? ''))
  }
}

function fill(template: string, topic: string, key: string): string {
  return template.replaceAll(/\$\{(topic|key)\}/g, (_all, name) => (name === 'topic' ? topic : key))
}

function replacementsOf(config: HttpSinkConfig): (readonly [RegExp, string])[] {
  const patterns = config['regex.patterns']
  if (patterns === '') return []
  const separator = config['regex.separator']
  const replacements = config['regex.replacements'].split(separator)
  return patterns.split(separator).map((pattern, index) => {
    const { source, flags } = compileRegex(pattern)
    return [new RegExp(source, flags.includes('g') ? flags : `${flags}g`), replacements[index] ?? ''] as const
  })
}

/** The same records have the same key, and different ones another. */
export function idempotencyKey(records: readonly SinkRecord[]): string {
  const places = records.map((r) => `${r.originalTopic}-${r.originalPartition}-${r.originalOffset}`)
  if (places.length === 1) return places[0]!
  return `${places[0]}-${createHash('sha256').update(places.join()).digest('hex').slice(0, 24)}`
}
