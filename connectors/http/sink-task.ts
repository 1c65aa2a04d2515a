import { ConnectError, type SinkRecord, type SinkTaskContext } from '@millrace/sdk'
import { type Failure, retriable } from '../_shared/retry/index.ts'
import { type Batch, BatchedSinkTask, placeOf, reportOrFail, type Write } from '../_shared/sink-batcher/index.ts'
import { HttpClient } from './client.ts'
import { failureOf, StatusError } from './failures.ts'
import { type Part, RequestMaker } from './request-maker.ts'
import type { HttpSinkConfig } from './sink-config.ts'
import { backoffOf, retriedStatuses, sinkClientSettings } from './sink-settings.ts'

/** Sends records to a server. */
export class HttpSinkTask extends BatchedSinkTask<Part> {
  readonly #config: HttpSinkConfig
  readonly #maker: RequestMaker
  #client: HttpClient | undefined
  #leftOut = 0

  constructor(config: HttpSinkConfig, context: SinkTaskContext) {
    const maker = new RequestMaker(config, context.raw)
    const isRetried = retriedStatuses(config['retry.on.status.codes'])
    super(context, {
      limits: {
        batchRecords: maker.recordsMax,
        lingerMs: config['linger.ms'],
        maxInFlight: config['max.in.flight.requests'],
        retry: backoffOf(config, context.raw),
      },
      classify: (error) => classify(error, isRetried),
    })
    this.#config = config
    this.#maker = maker
  }

  async start(): Promise<void> {
    const topics = [this.#config['reporter.result.topic.name'], this.#config['reporter.error.topic.name']]
    if (topics.some((topic) => topic !== '') && !this.context.publisher) {
      throw new ConnectError('this worker offers no way to write answers to topics; leave reporter.*.topic.name out')
    }
    this.#client = await HttpClient.open(sinkClientSettings(this.#config))
  }

  override async stop(): Promise<void> {
    await super.stop()
    if (this.#leftOut > 0) this.context.logger.info({ leftOut: this.#leftOut }, 'records were left out as configured')
    await this.#client?.close()
  }

  protected convert(record: SinkRecord): Write<Part> | null {
    return this.#maker.write(record, (left) => this.#leaveOut(left, 'it has no value', true))
  }

  protected async write({ items }: Batch<Part>, signal: AbortSignal): Promise<void> {
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

  /** Invariant 3: a refused record is durably reported, left out by a setting, or ends the task. */
  protected override async reject(record: SinkRecord, error: Error): Promise<void> {
    const topic = this.#config['reporter.error.topic.name']
    if (topic !== '') {
      const isAnswer = error instanceof StatusError
      await this.#publish(topic, record, isAnswer ? error.body : error.message, isAnswer ? error.status : undefined)
    }
    const behavior = this.#config['behavior.on.error']
    if (behavior === 'fail') return reportOrFail(this.context.errantRecordReporter, record, error)
    if (this.context.errantRecordReporter) await this.context.errantRecordReporter.report(record, error)
    else this.#leaveOut(record, error.message, behavior === 'log')
  }

  #leaveOut(record: SinkRecord, reason: string, isTold: boolean): void {
    this.#leftOut++
    const message = `the record ${placeOf(record)} is left out: ${reason}`
    if (isTold) this.context.logger.warn({}, message)
    else this.context.logger.debug({}, message)
  }

  async #publish(topic: string, record: SinkRecord, text: string, status: number | undefined): Promise<void> {
    const headers = {
      input_record_topic: record.originalTopic,
      input_record_partition: String(record.originalPartition),
      input_record_offset: String(record.originalOffset),
      ...(record.timestamp === null ? {} : { input_record_timestamp: String(record.timestamp) }),
      ...(status === undefined ? {} : { http_status: String(status) }),
    }
    await this.context.publisher!.publish({
      topic: topic.replaceAll('${connector}', this.context.connectorName),
      key: typeof record.key === 'string' ? Buffer.from(record.key) : null,
      value: Buffer.from(text),
      headers: Object.entries(headers).map(([key, value]) => ({ key, value: Buffer.from(value) })),
    })
  }
}

/** With statuses configured these are tried again, and no others are. */
function classify(error: unknown, isRetried: ((status: number) => boolean) | null): Failure {
  const failure = failureOf(error)
  if (!(error instanceof StatusError) || isRetried === null) return failure
  if (isRetried(error.status)) return retriable(error, error.retryAfterMs)
  return failure.kind === 'retriable' ? { kind: 'fatal', error } : failure
}
