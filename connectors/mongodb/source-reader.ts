import type { MongoClient } from 'mongodb'
import { ConnectError, type PollResult, RetriableError, type SourceOffset, type SourceTaskContext } from '@millrace/sdk'
import { ChangeReader } from './change-reader.ts'
import { hostsOf } from './connection.ts'
import { Copier } from './copier.ts'
import { failureOf } from './failures.ts'
import { tokenOf } from './resume-token.ts'
import { copiesExisting, type MongoSourceConfig } from './source-config.ts'
import { SourceRecords } from './source-records.ts'
import { watch } from './watch.ts'

const BACKOFF_MS = 1000

/**
 * Reads the change stream, after the copy where one is asked for. The only part of the source that imports the driver.
 */
export class SourceReader {
  readonly #client: MongoClient
  readonly #config: MongoSourceConfig
  readonly #context: SourceTaskContext
  readonly #records: SourceRecords
  readonly #partition: { readonly ns: string }
  #changes: ChangeReader | undefined
  #copier: Copier | undefined
  /** The place that the runtime was told last. */
  #told: string | undefined
  #nextHeartbeatMs = 0
  #lastHeartbeat: string | undefined

  constructor(client: MongoClient, config: MongoSourceConfig, context: SourceTaskContext) {
    this.#client = client
    this.#config = config
    this.#context = context
    this.#partition = { ns: config['offset.partition.name'] || defaultName(config) }
    const { raw } = context
    const errors = {
      tolerates: tolerates(config, context),
      logs: config['mongo.errors.log.enable'] || raw['errors.log.enable'] === 'true',
      deadLetterTopic: config['mongo.errors.deadletterqueue.topic.name'] || config['errors.deadletterqueue.topic.name'],
    }
    this.#records = new SourceRecords(config, this.#partition, errors, context.logger)
  }

  async start(): Promise<void> {
    const offset = await this.#context.offsets.offset(this.#partition)
    const isNew = offset === null || 'copy' in offset
    this.#changes = new ChangeReader(
      {
        open: (startAfter) => watch(this.#client, this.#config, startAfter),
        toleratesLoss: tolerates(this.#config, this.#context),
        logger: this.#context.logger,
      },
      isNew ? undefined : tokenOfOffset(offset),
    )
    this.#told = this.#changes.position
    // The stream comes first, so that no change falls between the copy and it.
    await this.#changes.begin()
    if (isNew && copiesExisting(this.#config, this.#context.raw)) {
      this.#copier = new Copier(this.#client, this.#config)
      this.#context.logger.info({}, 'what is there is copied')
    }
  }

  async poll(signal: AbortSignal): Promise<PollResult> {
    if (this.#copier !== undefined) return this.#copy(this.#copier)
    const events = await this.#changes!.next(this.#config['poll.max.batch.size'], signal)
    if (signal.aborted && events.length === 0) return null
    return events.length === 0 ? this.#idle() : this.#recordsOf(events)
  }

  async close(): Promise<void> {
    await this.#copier?.close()
    await this.#changes?.close()
  }

  #recordsOf(events: readonly Record<string, unknown>[]): PollResult {
    const records = events.map((event) => this.#records.of(event, false))
    this.#told = records.at(-1)?.sourceOffset['_id'] as string
    return records
  }

  /**
   * Nothing has happened, but the server may have looked further: that place is kept, so that it stays in the oplog.
   */
  #idle(): PollResult {
    const position = this.#changes!.position
    if (position === undefined) return null
    const intervalMs = this.#config['heartbeat.interval.ms']
    if (intervalMs > 0 && Date.now() >= this.#nextHeartbeatMs && position !== this.#lastHeartbeat) {
      this.#nextHeartbeatMs = Date.now() + intervalMs
      this.#lastHeartbeat = this.#told = position
      return [this.#records.heartbeat(position)]
    }
    if (position === this.#told) return null
    this.#told = position
    return [this.#records.position({ _id: position })]
  }

  async #copy(copier: Copier): Promise<PollResult> {
    let documents: Record<string, unknown>[] | null
    try {
      documents = await copier.next(this.#config['poll.max.batch.size'])
    } catch (error) {
      return this.#copyAgain(copier, error)
    }
    if (documents !== null) return documents.map((document) => this.#records.of(document, true))
    this.#copier = undefined
    this.#context.logger.info({}, 'what was there is copied; changes follow')
    // From here on a restart goes on with the changes since the copy began.
    const position = this.#changes!.position
    this.#told = position
    return position === undefined ? null : [this.#records.position({ _id: position })]
  }

  /** A copy cannot go on in the middle. */
  async #copyAgain(copier: Copier, error: unknown): Promise<never> {
    await copier.close()
    const message = `the copy broke: ${(error as Error).message}`
    if (failureOf(error).kind !== 'retriable') throw new ConnectError(message, { cause: error })
    this.#copier = new Copier(this.#client, this.#config)
    throw new RetriableError(`${message}; it begins again`, { cause: error, retryAfterMs: BACKOFF_MS })
  }
}

function tokenOfOffset(offset: SourceOffset): Record<string, unknown> | undefined {
  return typeof offset['_id'] === 'string' ? tokenOf(offset['_id']) : undefined
}

function defaultName(config: MongoSourceConfig): string {
  const { database, collection } = config
  return `${hostsOf(config['connection.uri'])}/${database}${collection === '' ? '' : `.${collection}`}`
}

function tolerates(config: MongoSourceConfig, { raw }: SourceTaskContext): boolean {
  return (config['mongo.errors.tolerance'] || (raw['errors.tolerance'] ?? '')).toLowerCase() === 'all'
}
