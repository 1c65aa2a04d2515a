import { type Schema, schemas, type SinkRecord, struct, type TopicPartition } from '@millrace/sdk'
import type { TestEvent } from './event.ts'

/** What a record for a sink consists of; null where it is left out. */
export interface RecordParts {
  readonly key?: unknown
  readonly keySchema?: Schema
  readonly value?: unknown
  readonly valueSchema?: Schema
  readonly headers?: SinkRecord['headers']
}

const FIELDS = { id: schemas.string, key: schemas.string, number: schemas.int32, payload: schemas.string }
const EVENT = struct(FIELDS, { name: 'testkit.Event', version: 1 })
const EVOLVED = struct({ ...FIELDS, note: schemas.optional.string }, { name: 'testkit.Event', version: 2 })

/** The record of an event where the options say nothing else: a key of text, a struct with the event's fields. */
export function eventRecord({ id, key, number, payload }: TestEvent): RecordParts {
  return { key, keySchema: schemas.string, value: { id, key, number, payload }, valueSchema: EVENT }
}

/** The same with one more field, which may be null. */
export function evolvedRecord({ id, key, number, payload }: TestEvent): RecordParts {
  const value = { id, key, number, payload, note: 'added later' }
  return { key, keySchema: schemas.string, value, valueSchema: EVOLVED }
}

/** The topic that a sink reads, in memory: its records stay, so that they can be delivered again. */
export class SinkTopic {
  readonly name: string
  readonly #partitions: SinkRecord[][]

  constructor(name: string, partitions: number) {
    this.name = name
    this.#partitions = Array.from({ length: partitions }, () => [])
  }

  get partitions(): readonly TopicPartition[] {
    return this.#partitions.map((_, partition) => ({ topic: this.name, partition }))
  }

  append(partition: number, parts: RecordParts): SinkRecord {
    const offset = this.end(partition)
    const record: SinkRecord = {
      topic: this.name,
      partition,
      key: parts.key ?? null,
      keySchema: parts.keySchema ?? null,
      value: parts.value ?? null,
      valueSchema: parts.valueSchema ?? null,
      headers: parts.headers ?? [],
      timestamp: 1_700_000_000_000 + offset,
      offset,
      timestampType: 'CreateTime',
      originalTopic: this.name,
      originalPartition: partition,
      originalOffset: offset,
    }
    this.put(record)
    return record
  }

  /** Adds a record that has its place already; records of a partition come in their order. */
  put(record: SinkRecord): void {
    this.#partitions[record.partition]?.push(record)
  }

  /** Records of one partition from an offset on. */
  from(partition: number, offset: number): readonly SinkRecord[] {
    return (this.#partitions[partition] ?? []).slice(offset)
  }

  end(partition: number): number {
    return this.#partitions[partition]?.length ?? 0
  }

  all(): readonly SinkRecord[] {
    return this.#partitions.flat()
  }
}
