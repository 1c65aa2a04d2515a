import { ConnectError, type ConnectErrorCode, isConnectError } from '@millrace/sdk'
import { formatTrace } from '../host/trace.ts'
import type { ErrorReporter, Failure } from './error-operator.ts'
import type { LogAdmin, LogProducer, OutgoingHeader } from './log-clients.ts'
import type { ErrorCounters } from './task-metrics.ts'

const PREFIX = '__connect.errors.'
/** Kafka's own choice: order over all failures, and a DLQ is small. */
const PARTITIONS = 1

export interface DeadLetterQueueOptions {
  readonly topic: string
  readonly connector: string
  readonly task: number
  readonly contextHeaders: boolean
  readonly producer: LogProducer
  readonly counters: ErrorCounters
}

/** Creates the topic of the dead letter queue when it is missing. */
export async function ensureDeadLetterTopic(admin: LogAdmin, topic: string, replicationFactor: number): Promise<void> {
  if (await admin.topicExists(topic)) return
  try {
    await admin.createTopic({ name: topic, partitions: PARTITIONS, replicationFactor, configs: {} })
  } catch (error) {
    // The default of 3 replicas does not fit a log of one node: there the broker's own default does.
    if ((error as { code?: unknown }).code !== 'INVALID_REPLICATION_FACTOR') throw error
    await admin.createTopic({ name: topic, partitions: PARTITIONS, replicationFactor: -1, configs: {} })
  }
}

/**
 * Writes the original bytes of a failed record to the dead letter topic.
 * Invariant 3: the returned promise is durable delivery; the caller holds the record's offset back until then.
 */
export function createDeadLetterQueue(options: DeadLetterQueueOptions): ErrorReporter {
  const { topic, producer, counters } = options
  const write = async (failure: Failure): Promise<void> => {
    const { consumed } = failure
    if (!consumed) return
    counters.dlqRequests++
    try {
      for (let wait = producer.ready(topic); wait; wait = producer.ready(topic)) await wait
      const { key, value, timestamp } = consumed
      const headers = options.contextHeaders ? contextHeaders(failure, options) : consumed.headers
      const batch = producer.append({ topic, key, value, headers, timestamp: timestamp < 0 ? undefined : timestamp })
      await batch.done
      if (batch.state !== 'acked') throw batch.error ?? new Error('the batch was not acknowledged')
    } catch (error) {
      counters.dlqFailures++
      throw new ConnectError(`Could not write a failed record to the dead letter queue ${topic}`, { cause: error })
    }
  }
  return { report: write }
}

function contextHeaders(failure: Failure, options: DeadLetterQueueOptions): OutgoingHeader[] {
  const { consumed, error } = failure
  const headers = [...(consumed?.headers ?? [])]
  const add = (name: string, value: string | number) =>
    headers.push({ key: PREFIX + name, value: Buffer.from(String(value)) })
  if (consumed) {
    add('topic', consumed.topic)
    add('partition', consumed.partition)
    add('offset', consumed.offset)
  }
  add('connector.name', options.connector)
  add('task.id', options.task)
  add('stage', failure.stage)
  add('class.name', failure.className)
  add('exception.class.name', exceptionClass(error))
  add('exception.message', error instanceof Error ? error.message : String(error))
  add('exception.stacktrace', formatTrace(error))
  return headers
}

/** What Kafka calls the errors of the SDK: those who sort dead letters do it by these names. */
const KAFKA_CLASSES: Readonly<Record<ConnectErrorCode, string>> = {
  CONNECT: 'org.apache.kafka.connect.errors.ConnectException',
  RETRIABLE: 'org.apache.kafka.connect.errors.RetriableException',
  DATA: 'org.apache.kafka.connect.errors.DataException',
  CONFIG: 'org.apache.kafka.common.config.ConfigException',
}

function exceptionClass(error: unknown): string {
  if (isConnectError(error)) return KAFKA_CLASSES[error.code]
  return error instanceof Error ? error.name : typeof error
}
