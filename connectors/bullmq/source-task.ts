import { setTimeout as delay } from 'node:timers/promises'
import {
  FINISHED,
  type PollResult,
  type RecordMetadata,
  type SourceRecord,
  type SourceTask,
  type SourceTaskContext,
} from '@millrace/sdk'
import { pollError, redisSettings } from '../_shared/redis/index.ts'
import { ConsumeReader } from './consume-reader.ts'
import { EventsReader } from './events-reader.ts'
import { ENDED, type QueueReader } from './reader.ts'
import { SnapshotReader } from './snapshot-reader.ts'
import type { BullmqSourceConfig } from './source-config.ts'

const IDLE_MS = 50

/** Reads the queues of one task in turn. */
export class BullmqSourceTask implements SourceTask {
  readonly #config: BullmqSourceConfig
  readonly #context: SourceTaskContext
  readonly #readers = new Map<string, QueueReader>()
  readonly #open: Set<QueueReader>

  constructor(config: BullmqSourceConfig, context: SourceTaskContext) {
    this.#config = config
    this.#context = context
    const settings = redisSettings(config)
    for (const name of config['queue.name']) {
      const reader =
        config.mode === 'consume'
          ? new ConsumeReader(name, config, settings, context.logger)
          : config.mode === 'events'
            ? new EventsReader(name, config, settings, context)
            : new SnapshotReader(name, config, settings, context)
      this.#readers.set(reader.partition.queue, reader)
    }
    this.#open = new Set(this.#readers.values())
  }

  async poll(signal: AbortSignal): Promise<PollResult> {
    try {
      await this.commit()
      const records: SourceRecord[] = []
      let hasNews = false
      for (const reader of this.#open) {
        const found = await this.#read(reader, records.length > 0)
        if (found === ENDED) this.#open.delete(reader)
        else records.push(...found)
        hasNews ||= found === ENDED || this.#config.mode === 'snapshot'
      }
      if (records.length > 0) return records
      if (this.#open.size === 0) return FINISHED
      if (!hasNews) await delay(IDLE_MS, undefined, { signal }).catch(() => undefined)
      return null
    } catch (error) {
      if (signal.aborted) return null
      throw pollError(error)
    }
  }

  /** What other queues gave is ours already: it goes first, and the failure comes again with the next poll. */
  async #read(reader: QueueReader, hasOthers: boolean): Promise<readonly SourceRecord[] | typeof ENDED> {
    try {
      return await reader.read(this.#config['batch.size'])
    } catch (error) {
      if (hasOthers) return []
      throw error
    }
  }

  commitRecord(record: SourceRecord, metadata: RecordMetadata | null): void {
    this.#readers.get(String(record.sourcePartition['queue']))?.done?.(record, metadata)
  }

  async commit(): Promise<void> {
    for (const reader of this.#readers.values()) await reader.flush?.()
  }

  async stop(): Promise<void> {
    try {
      await this.commit()
    } catch (error) {
      const reason = (error as Error).message
      this.#context.logger.warn({ reason }, 'the last jobs could not be completed; they come again')
    }
    for (const reader of this.#readers.values()) await reader.close()
  }
}
