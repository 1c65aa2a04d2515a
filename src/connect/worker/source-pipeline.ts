import type { Converter, HeaderConverter, RecordMetadata, SourcePosition, SourceRecord } from '@millrace/sdk'
import { type ErrorOperator, SKIPPED, type Stage } from './error-operator.ts'
import type { LogProducer, OutgoingHeader, OutgoingRecord, SentBatch } from './log-clients.ts'
import type { SubmittedRecords } from './submitted-records.ts'
import type { TaskCounters } from './task-metrics.ts'
import { missingTopicError, type TopicCreation } from './topic-creation.ts'
import { applyStep, type TransformationChain } from './transformation-chain.ts'

/** The converters of a task, with the class names the user wrote for them. */
export interface Converters {
  readonly key: Converter
  readonly value: Converter
  readonly header: HeaderConverter
  readonly keyClass: string
  readonly valueClass: string
  readonly headerClass: string
}

/** A record that is on its way, for `commitRecord`. */
export interface InFlightRecord {
  readonly record: SourceRecord
  readonly batch: SentBatch | null
  /** The record's place in the batch. */
  readonly index: number
}

export interface SourcePipelineOptions {
  readonly chain: TransformationChain<SourceRecord>
  readonly converters: Converters
  readonly producer: LogProducer
  readonly submitted: SubmittedRecords
  readonly errors: ErrorOperator
  readonly topics: TopicCreation | null
  readonly counters: TaskCounters
  readonly onTopicUsed: (topic: string) => void
  /** Null when the task has no `commitRecord`: then nothing is kept per record. */
  readonly inFlight: InFlightRecord[] | null
}

/** What a producer refuses because of the record and not because of the log. */
const RECORD_ERRORS: ReadonlySet<string> = new Set(['MESSAGE_TOO_LARGE', 'UNKNOWN_TOPIC_OR_PARTITION'])

type Step = 'chain' | 'key' | 'value' | 'headers' | 'append'

const NO_HEADERS: readonly OutgoingHeader[] = []

/**
 * Takes polled records through transformations and converters to the producer. The common case is one synchronous
 * pass without a promise or closure per record; whatever is unusual (an error, a new topic, a full buffer) goes on
 * in `#finish` from the step at which the fast pass stopped, so no step of a record is repeated.
 */
export class SourcePipeline {
  readonly #o: SourcePipelineOptions
  readonly #topics = new Set<string>()
  /** How far the fast pass came with the record at hand. */
  #reached: Step = 'chain'
  #transformed: SourceRecord | null = null
  #key: Uint8Array | null = null
  #value: Uint8Array | null = null
  #wait: Promise<void> | undefined
  #error: unknown
  #headersSeen: SourceRecord['headers'] | undefined
  #headersTopic = ''
  #headersConverted: readonly OutgoingHeader[] = NO_HEADERS

  constructor(options: SourcePipelineOptions) {
    this.#o = options
  }

  /** Sends a batch in its order; resolves when every record was appended, dropped or skipped. */
  async send(batch: readonly (SourceRecord | SourcePosition)[]): Promise<void> {
    for (let index = 0; index < batch.length; index++) {
      const item = batch[index]!
      if (item.topic === null) this.#o.submitted.submit(item, null)
      else if (!this.#pass(item)) await this.#finish(item)
    }
  }

  /** The fast pass; false when the record needs more. */
  #pass(record: SourceRecord): boolean {
    const { chain, converters, producer } = this.#o
    this.#error = undefined
    this.#wait = undefined
    try {
      this.#reached = 'chain'
      const transformed = chain.isEmpty ? record : chain.apply(record)
      if (transformed === null) {
        this.#drop(record)
        return true
      }
      this.#transformed = transformed
      this.#reached = 'key'
      this.#key = convert(converters.key, transformed, 'key')
      this.#reached = 'value'
      this.#value = convert(converters.value, transformed, 'value')
      this.#reached = 'headers'
      const headers = transformed.headers.length === 0 ? NO_HEADERS : this.#headers(transformed)
      this.#reached = 'append'
      const { topic } = transformed
      if (!this.#topics.has(topic)) return false
      this.#wait = producer.ready(topic)
      if (this.#wait) return false
      this.#append(record, transformed, headers)
      return true
    } catch (error) {
      this.#error = error
      return false
    }
  }

  /** Records are immutable, so headers that a source shares between records are converted once in a row. */
  #headers(record: SourceRecord): readonly OutgoingHeader[] {
    const { headers, topic } = record
    if (headers === this.#headersSeen && topic === this.#headersTopic) return this.#headersConverted
    const { header } = this.#o.converters
    this.#headersConverted = headers.map(({ key, schema, value }) => ({
      key,
      value: header.fromConnectHeader(topic, key, schema, value),
    }))
    this.#headersSeen = headers
    this.#headersTopic = topic
    return this.#headersConverted
  }

  #append(record: SourceRecord, transformed: SourceRecord, headers: readonly OutgoingHeader[]): void {
    const { producer, submitted, inFlight } = this.#o
    const { topic, partition, timestamp } = transformed
    const outgoing: OutgoingRecord = {
      topic,
      partition: partition ?? undefined,
      key: this.#key,
      value: this.#value,
      headers,
      timestamp: timestamp ?? undefined,
    }
    const batch = producer.append(outgoing)
    submitted.submit(record, batch)
    inFlight?.push({ record, batch, index: batch.recordCount - 1 })
  }

  /** A record that is not produced: its offset moves on with those before it. */
  #drop(record: SourceRecord): void {
    const { submitted, counters, inFlight } = this.#o
    submitted.submit(record, null)
    counters.recordsDropped++
    inFlight?.push({ record, batch: null, index: 0 })
  }

  /** The slow pass, from the step that stopped the fast one. */
  async #finish(record: SourceRecord): Promise<void> {
    const { converters } = this.#o
    const reached = this.#reached
    let wait = this.#wait
    let transformed = this.#transformed
    let key = this.#key
    let value = this.#value
    const about = (stage: Stage, className: string) => ({
      stage,
      className,
      consumed: null,
      source: { topic: record.topic, record },
    })
    if (reached === 'append' && this.#error !== undefined) {
      this.#refused(record, this.#error)
      return
    }
    if (reached === 'chain') {
      const result = await this.#transformOn(about)
      if (result === null) {
        this.#drop(record)
        return
      }
      transformed = result
    }
    const current = transformed!
    const run = <T>(stage: Stage, className: string, operation: () => T) =>
      this.#o.errors.run(about(stage, className), operation, ignoreReport)
    if (reached === 'chain' || reached === 'key') {
      const result = await run('KEY_CONVERTER', converters.keyClass, () => convert(converters.key, current, 'key'))
      if (result === SKIPPED) return this.#drop(record)
      key = result
    }
    if (reached === 'chain' || reached === 'key' || reached === 'value') {
      const result = await run('VALUE_CONVERTER', converters.valueClass, () =>
        convert(converters.value, current, 'value'),
      )
      if (result === SKIPPED) return this.#drop(record)
      value = result
    }
    const headers = await run('HEADER_CONVERTER', converters.headerClass, () => this.#headers(current))
    if (headers === SKIPPED) return this.#drop(record)
    await this.#prepareTopic(current.topic)
    const { producer } = this.#o
    for (wait ??= producer.ready(current.topic); wait; wait = producer.ready(current.topic)) {
      try {
        await wait
      } catch (error) {
        throw isAboutTopic(error) ? missingTopicError(current.topic, error) : error
      }
    }
    this.#key = key
    this.#value = value
    try {
      this.#append(record, current, headers)
    } catch (error) {
      this.#refused(record, error)
    }
  }

  /** The producer does not take this record: skipped with errors.tolerance=all (KIP-779), else the task fails. */
  #refused(record: SourceRecord, error: unknown): void {
    const isAboutRecord = RECORD_ERRORS.has((error as { code?: string }).code ?? '')
    const source = { topic: record.topic, record }
    const about = { stage: 'KAFKA_PRODUCE' as const, className: 'Producer', consumed: null, source }
    if (!isAboutRecord || !this.#o.errors.tolerateProduceFailure(about, error, 1)) throw error
    this.#drop(record)
  }

  async #transformOn(
    about: (stage: Stage, className: string) => Parameters<ErrorOperator['run']>[0],
  ): Promise<SourceRecord | null> {
    const { chain, errors } = this.#o
    let current = chain.failedRecord!
    for (const step of chain.steps.slice(chain.failedStep)) {
      const input = current
      const next = await errors.run(about('TRANSFORMATION', step.className), () => applyStep(step, input), ignoreReport)
      if (next === SKIPPED || next === null) return null
      current = next
    }
    return current
  }

  async #prepareTopic(topic: string): Promise<void> {
    if (this.#topics.has(topic)) return
    await this.#o.topics?.ensure(topic)
    this.#topics.add(topic)
    this.#o.onTopicUsed(topic)
  }
}

/** What the producer says after it has waited for a topic that did not come. */
function isAboutTopic(error: unknown): boolean {
  return (error as { cause?: { code?: string } }).cause?.code === 'CLIENT_NO_METADATA'
}

/** Sources have the log as their only reporter, which is done at once. */
function ignoreReport(): void {}

function convert(converter: Converter, record: SourceRecord, part: 'key' | 'value'): Uint8Array | null {
  if (record.jsonText !== undefined && converter.fromJsonText !== undefined) {
    return converter.fromJsonText(record, part)
  }
  return part === 'key'
    ? converter.fromConnectData(record.topic, record.keySchema, record.key)
    : converter.fromConnectData(record.topic, record.valueSchema, record.value)
}

/** Where an acknowledged record is; null for one that was not produced. */
export function metadataOf({ batch, index }: InFlightRecord): RecordMetadata | null {
  if (batch === null || batch.state !== 'acked') return null
  return { topic: batch.topic, partition: batch.partition, offset: batch.baseOffset + index }
}
