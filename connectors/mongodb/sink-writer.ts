import { setImmediate } from 'node:timers/promises'
import type { MongoClient } from 'mongodb'
import { DataError, type RawConfig, type SinkRecord } from '@millrace/sdk'
import type { BatchItem, Write, WriteOutcome } from '../_shared/sink-batcher/index.ts'
import { type Bulk, type BulkItem, prepareBulk } from './bulk-writer.ts'
import { BULK_RECORDS, type MongoSinkConfig } from './sink-config.ts'
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
    const most = maxBatch === 0 ? BULK_RECORDS : maxBatch
    const into = this.#client.db(database).collection(collection)
    const bulkAt = (start: number): Bulk | undefined => {
      const bulk = items.slice(start, start + most).map(({ data }) => data)
      return bulk.length === 0 ? undefined : prepareBulk(into, bulk, ordered)
    }
    let bulk = bulkAt(0)
    for (let start = 0; bulk !== undefined; start += most) {
      await this.#limitRate(target, pause)
      const writing = bulk.write()
      // It is waited for below; until then nobody hears of an error.
      writing.catch(() => {})
      // The next one is made while the server is busy with this one, which the driver has sent by then.
      await setImmediate()
      bulk = bulkAt(start + most)
      const outcome = await writing
      if (outcome === undefined) continue
      const failures = outcome.failures.map(({ index, failure }) => ({ index: start + index, failure }))
      // What is behind comes again at once, or after what has to be tried again.
      return { failures, attempted: start + (outcome.attempted ?? Math.min(most, items.length - start)) }
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
