import {
  type Header,
  type KafkaRecord,
  type RawConfig,
  schemas,
  type SourcePartition,
  type SourceRecord,
} from '@millrace/sdk'

const CONVERTER = 'org.apache.kafka.connect.converters.ByteArrayConverter'

/** A mirror's records are bytes, whatever the worker's converters make of data. */
export const BYTES_AS_THEY_ARE: RawConfig = {
  'key.converter': CONVERTER,
  'value.converter': CONVERTER,
  'header.converter': CONVERTER,
}

const NO_HEADERS: readonly Header[] = []

/** Where the records of one partition go: one object for all of them. */
export interface RecordRoute {
  readonly topic: string
  readonly partition: number
  readonly sourcePartition: SourcePartition
}

/**
 * The source partition of a mirrored partition. The order of the fields is part of the offset's key in the topic: it is
 * that of MirrorMaker, which finds its offsets here and ours there.
 */
export function mirroredPartition(cluster: string, topic: string, partition: number): SourcePartition {
  return { cluster, partition, topic }
}

/** A record of the source cluster on its way: same bytes, partition, headers and timestamp. */
export class MirrorRecord implements SourceRecord {
  readonly #record: KafkaRecord
  readonly #route: RecordRoute
  readonly keySchema = schemas.optional.bytes
  readonly valueSchema = schemas.optional.bytes
  readonly headers: readonly Header[]

  constructor(record: KafkaRecord, route: RecordRoute) {
    this.#record = record
    this.#route = route
    const { headers } = record
    this.headers =
      headers.length === 0
        ? NO_HEADERS
        : headers.map(({ key, value }) => ({ key, value, schema: schemas.optional.bytes }))
  }

  get topic(): string {
    return this.#route.topic
  }

  get partition(): number {
    return this.#route.partition
  }

  get key(): Uint8Array | null {
    return this.#record.key
  }

  get value(): Uint8Array | null {
    return this.#record.value
  }

  /** A record without a timestamp gets one on the target cluster. */
  get timestamp(): number | null {
    return this.#record.timestamp < 0 ? null : this.#record.timestamp
  }

  get sourcePartition(): SourcePartition {
    return this.#route.sourcePartition
  }

  get sourceOffset(): { readonly offset: number } {
    return { offset: this.#record.offset }
  }
}
