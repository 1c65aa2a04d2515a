import { createHash } from 'node:crypto'
import { type Schema, schemas, type SourceRecord, struct } from '@millrace/sdk'
import type { Item, Offset } from './items.ts'
import { jsonText } from './json-pointer.ts'
import { type HttpSourceConfig, mapperOf } from './source-config.ts'

/** The original has one partition without a name, so its stored offsets are found. */
export const PARTITION = Object.freeze({})
const NO_HEADERS = Object.freeze([])

type Content = Pick<SourceRecord, 'key' | 'keySchema' | 'value' | 'valueSchema'>

/** Makes records of items. */
export class RecordMaker {
  readonly #topic: string
  readonly #content: (key: string, value: unknown) => Content

  constructor(config: HttpSourceConfig) {
    this.#topic = config['kafka.topic']
    this.#content = contentOf(config)
  }

  record(item: Item, sourceOffset: Offset): SourceRecord {
    return {
      topic: this.#topic,
      partition: null,
      ...this.#content(item.key ?? uuidOf(item.value), item.value),
      headers: NO_HEADERS,
      timestamp: item.timestampMs ?? null,
      sourcePartition: PARTITION,
      sourceOffset,
    }
  }
}

function contentOf(config: HttpSourceConfig): (key: string, value: unknown) => Content {
  switch (mapperOf(config['http.response.record.mapper'])) {
    case 'json':
      return (key, value) => ({ key, keySchema: schemas.string, value, valueSchema: null })
    case 'StringKvSourceRecordMapper':
      return (key, value) => ({ key, keySchema: schemas.string, value: text(value), valueSchema: schemas.string })
    default:
      return wrapped(config)
  }
}

function wrapped(config: HttpSourceConfig): (key: string, value: unknown) => Content {
  const keyField = config['http.record.schema.key.property.name']
  const valueField = config['http.record.schema.value.property.name']
  const keySchema: Schema = struct(
    { [keyField]: schemas.string },
    { name: 'com.github.castorm.kafka.connect.http.Key' },
  )
  const valueSchema: Schema = struct(
    { [valueField]: schemas.string },
    { name: 'com.github.castorm.kafka.connect.http.Value' },
  )
  return (key, value) => ({
    key: { [keyField]: key },
    keySchema,
    value: { [valueField]: text(value) },
    valueSchema,
  })
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : jsonText(value)
}

/** The same content has the same key: a UUID of version 3, as Java makes it from the bytes. */
function uuidOf(value: unknown): string {
  const bytes = createHash('md5').update(jsonText(value)).digest()
  bytes[6] = (bytes[6]! & 0x0f) | 0x30
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
