import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { ConnectError, isConnectError, type SourceRecord, type SourceTask, type SourceTaskContext } from '@millrace/sdk'
import type { ByteSource, ReadValue } from '../_shared/formats/index.ts'
import { classifyS3, storeSettings } from '../_shared/s3/index.ts'
import { type ListedObject, ObjectStore } from '../_shared/s3/object-store.ts'
import { readObject } from './object-reader.ts'
import { type ObjectTarget, prefixOf, type TargetOf, targets } from './object-target.ts'
import { type SourceConfig, sourceFormatOf } from './source-config.ts'

/** Keys of task configurations: which share of the folders a task reads. */
export const TASK_INDEX = 'millrace.task.index'
export const TASK_COUNT = 'millrace.task.count'

interface Progress {
  readonly etag: string
  /** Values that are read. */
  readonly records: number
  readonly isComplete: boolean
}

interface Reading {
  readonly object: ListedObject
  readonly target: ObjectTarget
  readonly batches: AsyncGenerator<readonly ReadValue[]>
  /** Values that an earlier run has read. */
  readonly skip: number
  values: readonly ReadValue[]
  at: number
  /** The number of the next value in the object. */
  index: number
}

/**
 * Reads objects in the order of their names, each once: the offset of an object is the number of its values that are read.
 * An object that is written again is read on behind those.
 */
export class S3SourceTask implements SourceTask {
  readonly #config: SourceConfig
  readonly #context: SourceTaskContext
  readonly #store: ObjectStore
  readonly #targetOf: TargetOf
  readonly #index: number
  readonly #count: number
  readonly #known = new Map<string, Progress>()
  #waiting: ListedObject[] = []
  /** Where the listing goes on; null when it has come to its end. */
  #after: string | null = null
  #nextListMs = 0
  #reading: Reading | undefined

  constructor(config: SourceConfig, context: SourceTaskContext) {
    this.#config = config
    this.#context = context
    this.#store = new ObjectStore(storeSettings(config))
    this.#targetOf = targets(config)
    this.#index = Number(context.raw[TASK_INDEX] ?? 0)
    this.#count = Number(context.raw[TASK_COUNT] ?? 1)
  }

  async poll(signal: AbortSignal): Promise<readonly SourceRecord[] | null> {
    try {
      this.#reading ??= await this.#nextObject(signal)
      return this.#reading === undefined ? null : await this.#read(this.#reading)
    } catch (error) {
      if (isConnectError(error)) throw error
      const { kind, error: reason } = classifyS3(error)
      if (kind !== 'retriable') throw new ConnectError(`objects cannot be read: ${reason.message}`, { cause: reason })
      this.#context.logger.warn({ err: reason }, 'the server does not answer; objects are read on in a moment')
      // What was read stays read: the object is opened again behind it.
      await this.#abandon()
      await sleep(this.#config['s3.retry.backoff.ms'], undefined, { signal }).catch(() => undefined)
      return null
    }
  }

  async stop(): Promise<void> {
    await this.#reading?.batches.return(undefined)
    this.#store.close()
  }

  async #read(reading: Reading): Promise<readonly SourceRecord[] | null> {
    const records: SourceRecord[] = []
    const max = this.#config['record.batch.max.size']
    while (records.length < max) {
      if (reading.at === reading.values.length) {
        const next = await this.#nextValues(reading)
        if (next === null) {
          this.#finish(reading)
          break
        }
        reading.values = next
        reading.at = 0
        continue
      }
      const value = reading.values[reading.at++] as ReadValue
      reading.index++
      if (reading.index > reading.skip) records.push(this.#record(reading, value))
    }
    if (this.#reading === reading) this.#remember(reading, false)
    return records.length === 0 ? null : records
  }

  async #nextValues(reading: Reading): Promise<readonly ReadValue[] | null> {
    try {
      const { done, value } = await reading.batches.next()
      return done === true ? null : value
    } catch (error) {
      if (!isConnectError(error)) throw error
      throw new ConnectError(`the object ${reading.object.key} cannot be read: ${error.message}`, { cause: error })
    }
  }

  #record(reading: Reading, { schema, value }: ReadValue): SourceRecord {
    const { object, target, index } = reading
    return {
      topic: target.topic,
      partition: target.partition,
      key: null,
      keySchema: null,
      value,
      valueSchema: schema,
      headers: [],
      timestamp: object.modifiedMs,
      sourcePartition: this.#partitionOf(object.key),
      sourceOffset: { etag: object.etag, records: index },
    }
  }

  #partitionOf(key: string): { bucket: string; key: string } {
    return { bucket: this.#config['s3.bucket.name'], key }
  }

  #remember(reading: Reading, isComplete: boolean): void {
    const records = Math.max(reading.index, reading.skip)
    this.#known.set(reading.object.key, { etag: reading.object.etag, records, isComplete })
  }

  #finish(reading: Reading): void {
    this.#remember(reading, true)
    this.#reading = undefined
  }

  async #abandon(): Promise<void> {
    const reading = this.#reading
    if (reading === undefined) return
    this.#remember(reading, false)
    this.#waiting.unshift(reading.object)
    this.#reading = undefined
    await reading.batches.return(undefined).catch(() => undefined)
  }

  async #nextObject(signal: AbortSignal): Promise<Reading | undefined> {
    if (this.#waiting.length === 0) await this.#list(signal)
    const object = this.#waiting.shift()
    if (object === undefined) return undefined
    const target = this.#targetOf(object.key) as ObjectTarget
    const source: ByteSource = {
      size: object.size,
      read: (start, end) => this.#store.read(object.key, start, end),
    }
    const format = sourceFormatOf(this.#config['format.class']) ?? 'JsonFormat'
    const separator = (this.#config['format.bytearray.separator'] ?? '\n')
      .replaceAll('\\n', '\n')
      .replaceAll('\\r', '\r')
      .replaceAll('\\t', '\t')
    const batches = readObject(source, object.key, format, separator)
    return { object, target, batches, skip: this.#known.get(object.key)?.records ?? 0, values: [], at: 0, index: 0 }
  }

  /** One page of the bucket; after the last one it waits for the interval. */
  async #list(signal: AbortSignal): Promise<void> {
    if (this.#after === null) {
      const waitMs = this.#nextListMs - Date.now()
      if (waitMs > 0) await sleep(waitMs, undefined, { signal }).catch(() => undefined)
      if (signal.aborted) return
    }
    const page = await this.#store.list(prefixOf(this.#config), this.#after)
    this.#after = page.at(-1)?.key ?? null
    if (page.length === 0) this.#nextListMs = Date.now() + this.#config['s3.poll.interval.ms']
    const mine = page.filter(({ key, size }) => size > 0 && this.#targetOf(key) !== null && this.#isMine(key))
    const unknown = mine.filter(({ key }) => !this.#known.has(key))
    const offsets = await this.#context.offsets.offsets(unknown.map(({ key }) => this.#partitionOf(key)))
    unknown.forEach(({ key }, at) => {
      const offset = offsets[at]
      if (!offset) return
      this.#known.set(key, { etag: String(offset['etag']), records: Number(offset['records']), isComplete: false })
    })
    this.#waiting = mine.filter(({ key, etag }) => {
      const known = this.#known.get(key)
      return known === undefined || !known.isComplete || known.etag !== etag
    })
  }

  /** Objects of a folder are read by one task, so that their order stays. */
  #isMine(key: string): boolean {
    if (this.#count === 1) return true
    const folder = key.slice(0, key.lastIndexOf(this.#config['directory.delim']))
    return createHash('md5').update(folder).digest().readUInt32BE(0) % this.#count === this.#index
  }
}
