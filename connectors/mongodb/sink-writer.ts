import type { MongoClient } from 'mongodb'
import { DataError, type RawConfig, type SinkRecord } from '@millrace/sdk'
import type { BatchItem, ItemFailure, Write, WriteOutcome } from '../_shared/sink-batcher/index.ts'
import { type BulkItem, writeBulk } from './bulk-writer.ts'
import type { MongoSinkConfig } from './sink-config.ts'
import { ensureTimeSeries } from './time-series.ts'
import { type Target, TopicPlans } from './topic-plan.ts'

export type { BulkItem } from './bulk-writer.ts'

/** Makes writes of records and carries them out. The only part of the sink that imports the driver. */
export class SinkWriter {
  readonly #client: MongoClient
  readonly #plans: TopicPlans
  readonly #ready = new Set<string>()
  /** Bulk writes of a target since its last pause. */
  readonly #writes = new Map<string, number>()

  constructor(client: MongoClient, config: MongoSinkConfig, raw: RawConfig) {
    this.#client = client
    this.#plans = new TopicPlans(raw, config, Date.now)
  }

  /** The write of a record, or null for none. Throws DataError where the record is at fault. */
  convert(record: SinkRecord): Write<BulkItem> | null {
    const bytes = sizeOf(record.value)
    const planned = this.#plans.plan(record)
    if (planned === null) return null
    const { target, operation, isOwnId } = planned
    return { target: target.name, bytes, data: { operation, isOwnId } }
  }

  /** Writes a batch, in as many bulk writes as the settings of its target ask for. */
  async write(
    name: string,
    items: readonly BatchItem<BulkItem>[],
    pause: (ms: number) => Promise<void>,
  ): Promise<WriteOutcome | undefined> {
    const target = this.#plans.target(name)
    await this.#prepare(target)
    const { database, collection } = target.namespace
    const { maxBatch, ordered } = target.bulk
    const most = maxBatch === 0 ? items.length : maxBatch
    const failures: ItemFailure[] = []
    for (let start = 0; start < items.length; start += most) {
      await this.#limitRate(target, pause)
      const bulk = items.slice(start, start + most).map(({ data }) => data)
      const outcome = await writeBulk(this.#client.db(database).collection(collection), bulk, ordered)
      if (outcome === undefined) continue
      for (const { index, failure } of outcome.failures) failures.push({ index: start + index, failure })
      // What is behind comes again at once, or after what has to be tried again.
      return { failures, attempted: start + (outcome.attempted ?? bulk.length) }
    }
    return undefined
  }

  async #prepare(target: Target): Promise<void> {
    if (target.config['timeseries.timefield'] === '' || this.#ready.has(target.name)) return
    await ensureTimeSeries(this.#client, target.namespace, target.config)
    this.#ready.add(target.name)
  }

  async #limitRate(
    { name, bulk: { pauseMs, pauseEvery } }: Target,
    pause: (ms: number) => Promise<void>,
  ): Promise<void> {
    if (pauseMs === 0 || pauseEvery === 0) return
    const writes = this.#writes.get(name) ?? 0
    this.#writes.set(name, writes >= pauseEvery ? 1 : writes + 1)
    if (writes >= pauseEvery) await pause(pauseMs)
  }
}

const NUMBER_BYTES = 16
const DEPTH_MAX = 200

/** About how much memory a value takes. */
function sizeOf(value: unknown, depth = 0): number {
  if (typeof value === 'string') return value.length + NUMBER_BYTES
  if (typeof value !== 'object' || value === null) return NUMBER_BYTES
  if (value instanceof Uint8Array) return value.byteLength
  if (depth > DEPTH_MAX) throw new DataError('a value is nested more deeply than documents may be')
  let size = NUMBER_BYTES
  if (value instanceof Map) for (const entry of value.values()) size += NUMBER_BYTES + sizeOf(entry, depth + 1)
  else if (Array.isArray(value)) for (const entry of value) size += sizeOf(entry, depth + 1)
  else {
    for (const name in value) {
      size += NUMBER_BYTES + sizeOf((value as Readonly<Record<string, unknown>>)[name], depth + 1)
    }
  }
  return size
}
