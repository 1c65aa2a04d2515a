import {
  ConnectError,
  type SinkRecord,
  type SinkTask,
  type SinkTaskContext,
  type TopicPartition,
  type TopicPartitionOffset,
} from '@millrace/sdk'
import { type Failure, retriable } from '../_shared/retry/index.ts'
import { type Batch, placeOf, reportOrFail, SinkBatcher } from '../_shared/sink-batcher/index.ts'
import { HttpClient } from './client.ts'
import { failureOf, StatusError } from './failures.ts'
import { type Part, RequestMaker } from './request-maker.ts'
import type { HttpSinkConfig } from './sink-config.ts'
import { backoffOf, retriedStatuses, sinkClientSettings } from './sink-settings.ts'

/** Sends records to a server. */
export class HttpSinkTask implements SinkTask {
  readonly #config: HttpSinkConfig
  readonly #context: SinkTaskContext
  readonly #maker: RequestMaker
  readonly #batcher: SinkBatcher<Part>
  readonly #isRetried: ((status: number) => boolean) | null
  #client: HttpClient | undefined
  #leftOut = 0

  constructor(config: HttpSinkConfig, context: SinkTaskContext) {
    this.#config = config
    this.#context = context
    this.#maker = new RequestMaker(config, context.raw)
    this.#isRetried = retriedStatuses(config['retry.on.status.codes'])
    this.#batcher = new SinkBatcher<Part>({
      context,
      limits: {
        batchRecords: this.#maker.recordsMax,
        lingerMs: config['linger.ms'],
        maxInFlight: config['max.in.flight.requests'],
        retry: backoffOf(config, context.raw),
      },
      convert: (record) => this.#maker.write(record, (left) => this.#leaveOut(left, 'it has no value', true)),
      write: (batch, signal) => this.#write(batch, signal),
      classify: (error) => this.#classify(error),
      reject: (record, error) => this.#reject(record, error),
    })
  }

  async start(): Promise<void> {
    const topics = [this.#config['reporter.result.topic.name'], this.#config['reporter.error.topic.name']]
    if (topics.some((topic) => topic !== '') && !this.#context.publisher) {
      throw new ConnectError('this worker offers no way to write answers to topics; leave reporter.*.topic.name out')
    }
    this.#client = await HttpClient.open(sinkClientSettings(this.#config))
  }

  put(records: readonly SinkRecord[]): Promise<void> {
    return this.#batcher.put(records)
  }

  preCommit(offsets: readonly TopicPartitionOffset[]): Promise<readonly TopicPartitionOffset[]> {
    return this.#batcher.preCommit(offsets)
  }

  close(partitions: readonly TopicPartition[]): Promise<void> {
    return this.#batcher.close(partitions)
  }

  async stop(): Promise<void> {
    await this.#batcher.stop()
    if (this.#leftOut > 0) this.#context.logger.info({ leftOut: this.#leftOut }, 'records were left out as configured')
    await this.#client?.close()
  }

  async #write({ items }: Batch<Part>, signal: AbortSignal): Promise<void> {
    const request = this.#maker.request(items)
    const { status, headers, body } = await this.#client!.request({ ...request, signal })
    if (status < 200 || status >= 300) {
      const { origin, pathname } = new URL(request.url)
      throw new StatusError(`${request.method} ${origin}${pathname}`, status, headers, body)
    }
    // Invariant 2: an answer that shall be kept is durable before the offset of its record is committed.
    const topic = this.#config['reporter.result.topic.name']
    if (topic !== '') await Promise.all(items.map(({ record }) => this.#publish(topic, record, body, status)))
  }

  #classify(error: unknown): Failure {
    const failure = failureOf(error)
    if (!(error instanceof StatusError) || this.#isRetried === null) return failure
    if (this.#isRetried(error.status)) return retriable(error, error.retryAfterMs)
    return failure.kind === 'retriable' ? { kind: 'fatal', error } : failure
  }

  /** Invariant 3: a refused record is durably reported, left out by a setting, or ends the task. */
  async #reject(record: SinkRecord, error: Error): Promise<void> {
    const topic = this.#config['reporter.error.topic.name']
    if (topic !== '') {
      const isAnswer = error instanceof StatusError
      await this.#publish(topic, record, isAnswer ? error.body : error.message, isAnswer ? error.status : undefined)
    }
    const behavior = this.#config['behavior.on.error']
    if (behavior === 'fail') return reportOrFail(this.#context.errantRecordReporter, record, error)
    if (this.#context.errantRecordReporter) await this.#context.errantRecordReporter.report(record, error)
    else this.#leaveOut(record, error.message, behavior === 'log')
  }

  #leaveOut(record: SinkRecord, reason: string, isTold: boolean): void {
    this.#leftOut++
    const message = `the record ${placeOf(record)} is left out: ${reason}`
    if (isTold) this.#context.logger.warn({}, message)
    else this.#context.logger.debug({}, message)
  }

  async #publish(topic: string, record: SinkRecord, text: string, status: number | undefined): Promise<void> {
    const headers = {
      input_record_topic: record.originalTopic,
      input_record_partition: String(record.originalPartition),
      input_record_offset: String(record.originalOffset),
      ...(record.timestamp === null ? {} : { input_record_timestamp: String(record.timestamp) }),
      ...(status === undefined ? {} : { http_status: String(status) }),
    }
    await this.#context.publisher!.publish({
      topic: topic.replaceAll('${connector}', this.#context.connectorName),
      key: typeof record.key === 'string' ? Buffer.from(record.key) : null,
      value: Buffer.from(text),
      headers: Object.entries(headers).map(([key, value]) => ({ key, value: Buffer.from(value) })),
    })
  }
}
