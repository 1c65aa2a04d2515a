import {
  mapOf,
  type Schema,
  schemas,
  type SourceOffset,
  type SourcePartition,
  type SourceRecord,
  struct,
} from '@millrace/sdk'
import { bodyOf, type EntryJson } from './entry-json.ts'

/** An entry as Redis gives it: its id, and names and values in turn; null when it was deleted since. */
export type StreamEntry = readonly [id: Buffer, fields: readonly Buffer[] | null]

const valueSchema = struct(
  { id: schemas.string, body: mapOf(schemas.string, schemas.string), stream: schemas.string },
  { name: 'com.redis.kafka.connect.stream.Value' },
)
const NO_HEADERS = Object.freeze([])

/** What the records of one task have in common. */
export interface StreamRecordOrigin {
  readonly topic: string
  readonly stream: string
  readonly sourcePartition: SourcePartition
  readonly json: EntryJson
}

/** The record of one entry; its value is built when somebody looks at it. */
export class StreamRecord implements SourceRecord {
  readonly #origin: StreamRecordOrigin
  readonly #fields: readonly Buffer[]
  readonly key: string
  readonly timestamp: number

  constructor(origin: StreamRecordOrigin, id: string, fields: readonly Buffer[], nowMs: number) {
    this.#origin = origin
    this.#fields = fields
    this.key = id
    this.timestamp = nowMs
  }

  get topic(): string {
    return this.#origin.topic
  }

  get partition(): null {
    return null
  }

  get keySchema(): Schema {
    return schemas.string
  }

  get valueSchema(): Schema {
    return valueSchema
  }

  get headers(): typeof NO_HEADERS {
    return NO_HEADERS
  }

  get sourcePartition(): SourcePartition {
    return this.#origin.sourcePartition
  }

  get sourceOffset(): SourceOffset {
    return { offset: this.key }
  }

  get value(): unknown {
    return { id: this.key, body: bodyOf(this.#fields), stream: this.#origin.stream }
  }

  jsonText(part: 'key' | 'value'): Uint8Array {
    return part === 'key' ? this.#origin.json.ofKey(this.key) : this.#origin.json.ofValue(this.key, this.#fields)
  }
}
