import type { Header, SchemaAndValue, SinkRecord } from '@millrace/sdk'
import { type ErrorOperator, SKIPPED, type Stage } from './error-operator.ts'
import { JsonValueRecord } from './json-value-record.ts'
import type { IncomingRecord } from './log-clients.ts'
import type { Converters } from './source-pipeline.ts'
import { applyStep, type TransformationChain } from './transformation-chain.ts'

export interface SinkPipelineOptions {
  readonly chain: TransformationChain<SinkRecord>
  readonly converters: Converters
  readonly errors: ErrorOperator
  /** Offsets of the record's partition have to wait for this. */
  readonly onReport: (consumed: IncomingRecord, pending: Promise<void>) => void
  /** The record was dropped by a transformation or skipped. */
  readonly onDropped: () => void
  /** Remembers what a record was in the log, for the ErrantRecordReporter; null when there is none. */
  readonly origins: WeakMap<SinkRecord, IncomingRecord> | null
  /** The task takes JSON text in place of values. */
  readonly readsJsonValue: boolean
}

const NO_HEADERS: readonly Header[] = []

/** Takes records from the log through converters and transformations: synchronously as long as nothing fails. */
export class SinkPipeline {
  readonly #o: SinkPipelineOptions
  readonly #keepsJsonValue: boolean

  constructor(options: SinkPipelineOptions) {
    this.#o = options
    // Transformations are free to copy records by spreading, which getters do not survive.
    this.#keepsJsonValue = options.readsJsonValue && options.chain.isEmpty
  }

  /** Records for `put`, in their order; dropped and skipped ones are missing. */
  async convert(consumed: readonly IncomingRecord[]): Promise<SinkRecord[]> {
    const { origins, onDropped } = this.#o
    const result: SinkRecord[] = []
    for (let index = 0; index < consumed.length; index++) {
      const incoming = consumed[index]!
      const record = this.#pass(incoming) ?? (await this.#again(incoming))
      if (record === DROPPED) {
        onDropped()
        continue
      }
      result.push(record)
      origins?.set(record, incoming)
    }
    return result
  }

  /** Undefined when something threw. Converters are pure, so `#again` may start over. */
  #pass(incoming: IncomingRecord): SinkRecord | typeof DROPPED | undefined {
    const { chain, converters } = this.#o
    try {
      const key = converters.key.toConnectData(incoming.topic, incoming.key)
      if (this.#keepsJsonValue && incoming.value !== null && converters.value.isJsonValue?.(incoming.value)) {
        return new JsonValueRecord(incoming, key, this.#headers(incoming), incoming.value, converters.value)
      }
      const value = converters.value.toConnectData(incoming.topic, incoming.value)
      const record = sinkRecord(incoming, key, value, this.#headers(incoming))
      return chain.isEmpty ? record : (chain.apply(record) ?? DROPPED)
    } catch {
      return undefined
    }
  }

  #headers({ topic, headers }: IncomingRecord): readonly Header[] {
    if (headers.length === 0) return NO_HEADERS
    const { header } = this.#o.converters
    return headers.map(({ key, value }) => {
      const converted = header.toConnectHeader(topic, key, value)
      return { key, schema: converted.schema, value: converted.value }
    })
  }

  async #again(incoming: IncomingRecord): Promise<SinkRecord | typeof DROPPED> {
    const { chain, converters } = this.#o
    const { topic } = incoming
    const failedInChain = chain.failedRecord?.originalOffset === incoming.offset ? chain.failedRecord : undefined
    const key = await this.#run(incoming, 'KEY_CONVERTER', converters.keyClass, () =>
      converters.key.toConnectData(topic, incoming.key),
    )
    if (key === SKIPPED) return DROPPED
    const value = await this.#run(incoming, 'VALUE_CONVERTER', converters.valueClass, () =>
      converters.value.toConnectData(topic, incoming.value),
    )
    if (value === SKIPPED) return DROPPED
    const headers = await this.#run(incoming, 'HEADER_CONVERTER', converters.headerClass, () => this.#headers(incoming))
    if (headers === SKIPPED) return DROPPED
    // Transformations that have already been applied are not applied again.
    const sameRecord = failedInChain?.originalTopic === topic && failedInChain.originalPartition === incoming.partition
    let current = sameRecord ? failedInChain : sinkRecord(incoming, key, value, headers)
    chain.failedRecord = undefined
    for (const step of chain.steps.slice(sameRecord ? chain.failedStep : 0)) {
      const input = current
      const next = await this.#run(incoming, 'TRANSFORMATION', step.className, () => applyStep(step, input))
      if (next === SKIPPED || next === null) return DROPPED
      current = next
    }
    return current
  }

  #run<T>(consumed: IncomingRecord, stage: Stage, className: string, operation: () => T): Promise<T | typeof SKIPPED> {
    const { errors, onReport } = this.#o
    return errors.run({ stage, className, consumed, source: null }, operation, (pending) => onReport(consumed, pending))
  }
}

const DROPPED: unique symbol = Symbol('dropped')

function sinkRecord(
  incoming: IncomingRecord,
  key: SchemaAndValue,
  value: SchemaAndValue,
  headers: readonly Header[],
): SinkRecord {
  const { topic, partition, offset, timestamp, timestampType = 'CreateTime' } = incoming
  return {
    topic,
    partition,
    key: key.value,
    keySchema: key.schema,
    value: value.value,
    valueSchema: value.schema,
    headers,
    timestamp: timestamp < 0 ? null : timestamp,
    offset,
    timestampType,
    originalTopic: topic,
    originalPartition: partition,
    originalOffset: offset,
  }
}
