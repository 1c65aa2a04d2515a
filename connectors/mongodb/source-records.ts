import {
  DataError,
  type PluginLogger,
  schemas,
  type SourceOffset,
  type SourcePartition,
  type SourcePosition,
  type SourceRecord,
} from '@millrace/sdk'
import { type Document, isDocument } from './documents.ts'
import { jsonText } from './json-text.ts'
import { tokenText } from './resume-token.ts'
import type { MongoSourceConfig } from './source-config.ts'
import { type Format, keyFormat, valueFormat } from './source-formats.ts'
import { type TopicMapper, topicMapper } from './topic-mapper.ts'

/** What happens with documents that fit no format. */
export interface SourceErrors {
  readonly tolerates: boolean
  readonly logs: boolean
  /** Empty: they are left out. */
  readonly deadLetterTopic: string
}

const whole = jsonText('Relaxed')

/** Makes records of change events. */
export class SourceRecords {
  readonly #config: MongoSourceConfig
  readonly #partition: SourcePartition
  readonly #errors: SourceErrors
  readonly #logger: PluginLogger
  readonly #key: Format
  readonly #value: Format
  readonly #topicOf: TopicMapper

  constructor(config: MongoSourceConfig, partition: SourcePartition, errors: SourceErrors, logger: PluginLogger) {
    this.#config = config
    this.#partition = partition
    this.#errors = errors
    this.#logger = logger
    this.#key = keyFormat(config)
    this.#value = valueFormat(config)
    this.#topicOf = topicMapper(config)
  }

  /** The record of an event, or only its position where it has none. */
  of(event: Document, isCopy: boolean): SourceRecord | SourcePosition {
    const sourceOffset = { _id: tokenText(event['_id']), ...(isCopy ? { copy: 'true' } : {}) }
    const topic = this.#topic(event)
    const value = this.#valueOf(event)
    if (topic === '' || value === undefined) return this.position(sourceOffset)
    const key = this.#keyOf(event)
    try {
      const formattedKey = this.#key(key)
      const formattedValue = value === null ? { schema: null, value: null } : this.#value(value)
      return this.#record(topic, formattedKey, formattedValue, sourceOffset)
    } catch (error) {
      return this.#misfit(key, value, sourceOffset, error as Error)
    }
  }

  /** A place in the stream, without a record. */
  position(sourceOffset: SourceOffset): SourcePosition {
    return { topic: null, sourcePartition: this.#partition, sourceOffset }
  }

  /** A record that carries nothing but a place, for those who watch a topic. */
  heartbeat(token: string): SourceRecord {
    const sourceOffset = { _id: token, HEARTBEAT: 'true' }
    const key = { schema: schemas.string, value: token }
    return this.#record(
      this.#config['heartbeat.topic.name'],
      key,
      { schema: schemas.optional.bytes, value: null },
      sourceOffset,
    )
  }

  #record(
    topic: string,
    key: { readonly schema: SourceRecord['keySchema']; readonly value: unknown },
    value: { readonly schema: SourceRecord['valueSchema']; readonly value: unknown },
    sourceOffset: SourceOffset,
  ): SourceRecord {
    return {
      topic,
      partition: null,
      key: key.value,
      keySchema: key.schema,
      value: value.value,
      valueSchema: value.schema,
      headers: [],
      timestamp: null,
      sourcePartition: this.#partition,
      sourceOffset,
    }
  }

  /** Empty for what has no place. A pipeline may have removed `ns`; a stream of one collection knows it anyway. */
  #topic(event: Document): string {
    const { database, collection } = this.#config
    const ns = isDocument(event['ns']) ? event['ns'] : {}
    if (typeof ns['db'] === 'string' && ns['db'] !== '') {
      return this.#topicOf(ns['db'], typeof ns['coll'] === 'string' ? ns['coll'] : '')
    }
    return collection === '' || event['operationType'] === 'invalidate' ? '' : this.#topicOf(database, collection)
  }

  /** Null is a tombstone, undefined is no record. */
  #valueOf(event: Document): Document | null | undefined {
    if (!this.#config['publish.full.document.only']) return event
    if (isDocument(event['fullDocument'])) return event['fullDocument']
    const isDelete = event['operationType'] === 'delete'
    return isDelete && this.#config['publish.full.document.only.tombstone.on.delete'] ? null : undefined
  }

  #keyOf(event: Document): Document {
    if (this.#config['output.format.key'].toLowerCase() === 'schema') return event
    const { documentKey } = event
    if (this.#config['change.stream.document.key.as.key'] && isDocument(documentKey)) return documentKey
    return { _id: event['_id'] }
  }

  #misfit(
    key: Document,
    value: Document | null,
    sourceOffset: SourceOffset,
    error: Error,
  ): SourceRecord | SourcePosition {
    const { tolerates, logs, deadLetterTopic } = this.#errors
    const reason = new DataError(`the event ${String(sourceOffset['_id'])} fits no record: ${error.message}`, {
      cause: error,
    })
    if (logs) this.#logger.error({ err: reason }, 'an event fits no record')
    if (!tolerates) throw reason
    if (deadLetterTopic === '') return this.position(sourceOffset)
    const text = (document: Document | null) => ({
      schema: schemas.string,
      value: whole(document ?? {}),
    })
    return this.#record(deadLetterTopic, text(key), text(value), sourceOffset)
  }
}
