import type { Converter, Header, Schema, SchemaAndValue, SinkRecord } from '@millrace/sdk'
import type { IncomingRecord } from './log-clients.ts'

/** A sink record whose value is JSON text that its converter has looked over; it is read when somebody asks for it. */
export class JsonValueRecord implements SinkRecord {
  readonly #converter: Converter
  readonly #text: Uint8Array
  #value: unknown
  readonly topic: string
  readonly partition: number
  readonly key: unknown
  readonly keySchema: Schema | null
  readonly headers: readonly Header[]
  readonly timestamp: number | null
  readonly timestampType: SinkRecord['timestampType']
  readonly offset: number

  constructor(
    { topic, partition, timestamp, timestampType = 'CreateTime', offset }: IncomingRecord,
    key: SchemaAndValue,
    headers: readonly Header[],
    text: Uint8Array,
    converter: Converter,
  ) {
    this.#converter = converter
    this.#text = text
    this.topic = topic
    this.partition = partition
    this.key = key.value
    this.keySchema = key.schema
    this.headers = headers
    this.timestamp = timestamp < 0 ? null : timestamp
    this.timestampType = timestampType
    this.offset = offset
  }

  get valueSchema(): null {
    return null
  }

  get value(): unknown {
    this.#value ??= this.#converter.toConnectData(this.topic, this.#text).value
    return this.#value
  }

  jsonValue(): Uint8Array {
    return this.#text
  }

  get originalTopic(): string {
    return this.topic
  }

  get originalPartition(): number {
    return this.partition
  }

  get originalOffset(): number {
    return this.offset
  }
}
