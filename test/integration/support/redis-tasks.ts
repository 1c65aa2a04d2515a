// A small driver of the task contract for the Redis and BullMQ connectors: what the worker does, without a worker.
import {
  type ConfigDef,
  type ErrantRecordReporter,
  type Header,
  parseConfigOrThrow,
  type PluginLogger,
  type Schema,
  type SinkConnector,
  type SinkRecord,
  type SinkTask,
  type SourceConnector,
  type SourceOffset,
  type SourcePartition,
  type SourceRecord,
  type SourceTask,
  type TopicPartition,
  type TopicPartitionOffset,
} from '@millrace/sdk'
import { DEADLINE_MS } from '../../services/deadline.ts'

export type Raw = Record<string, string>

/** Lines of the log, so that tests can see warnings. */
export function memoryLogger(): PluginLogger & { readonly lines: string[] } {
  const lines: string[] = []
  const add = (fields: object, message: string): void => void lines.push(`${message} ${JSON.stringify(fields)}`)
  return { lines, debug: add, info: add, warn: add, error: add }
}

export interface RunningSink {
  readonly task: SinkTask
  readonly lines: readonly string[]
  /** Offsets the task asked to go on from. */
  readonly sought: TopicPartitionOffset[]
  readonly reported: { readonly record: SinkRecord; readonly error: Error }[]
  /** `put`, and a commit that waits until all of it is written: the offsets that may be committed. */
  put(records: readonly SinkRecord[]): Promise<readonly TopicPartitionOffset[]>
}

export interface SinkOptions {
  readonly tolerant?: boolean
  readonly name?: string
  readonly open?: readonly TopicPartition[]
}

export async function startSink<D extends ConfigDef>(
  sink: SinkConnector<D>,
  raw: Raw,
  options: SinkOptions = {},
): Promise<RunningSink> {
  const logger = memoryLogger()
  const sought: TopicPartitionOffset[] = []
  const reported: { record: SinkRecord; error: Error }[] = []
  const reporter: ErrantRecordReporter = {
    async report(record, error) {
      reported.push({ record, error })
    },
  }
  const full: Raw = { 'retry.backoff.ms': '10', ...raw }
  const task = sink.createTask(parseConfigOrThrow(sink.config, full), {
    connectorName: options.name ?? 'redis-sink-test',
    taskId: 0,
    logger,
    raw: full,
    errantRecordReporter: options.tolerant === true ? reporter : null,
    assignment: () => options.open ?? [],
    offset: (offsets) => void sought.push(...offsets),
    timeout: () => undefined,
    pause: () => undefined,
    resume: () => undefined,
    requestCommit: () => undefined,
  })
  await task.start?.()
  await task.open?.(options.open ?? [])
  return {
    task,
    lines: logger.lines,
    sought,
    reported,
    async put(records) {
      await task.put(records)
      const ends = new Map<string, TopicPartitionOffset>()
      for (const { originalTopic: topic, originalPartition: partition, originalOffset } of records) {
        const name = `${topic}-${partition}`
        ends.set(name, { topic, partition, offset: Math.max(originalOffset + 1, ends.get(name)?.offset ?? 0) })
      }
      const wanted = [...ends.values()]
      for (const deadline = Date.now() + DEADLINE_MS; ; ) {
        const committed = (await task.preCommit?.(wanted)) ?? wanted
        // The runtime calls `put` after each commit, which is where a failure is told.
        await task.put([])
        if (wanted.every(({ offset }, index) => committed[index]?.offset === offset)) return committed
        if (Date.now() > deadline) throw new Error(`not written in time: ${logger.lines.join('\n')}`)
      }
    },
  }
}

/** A record of a sink. */
export function sinkRecord(
  offset: number,
  key: unknown,
  value: unknown,
  more: Partial<{ topic: string; partition: number; valueSchema: Schema; keySchema: Schema; headers: Header[] }> = {},
): SinkRecord {
  const { topic = 'orders', partition = 0, valueSchema = null, keySchema = null, headers = [] } = more
  return {
    topic,
    partition,
    offset,
    key,
    keySchema,
    value,
    valueSchema,
    headers,
    timestamp: 1_700_000_000_000,
    timestampType: 'CreateTime',
    originalTopic: topic,
    originalPartition: partition,
    originalOffset: offset,
  }
}

/** The offsets that a worker would have committed, by source partition. */
export class Offsets {
  readonly #stored = new Map<string, SourceOffset>()

  set(partition: SourcePartition, offset: SourceOffset): void {
    this.#stored.set(JSON.stringify(partition), offset)
  }

  get(partition: SourcePartition): SourceOffset | null {
    return this.#stored.get(JSON.stringify(partition)) ?? null
  }
}

export interface RunningSource {
  readonly task: SourceTask
  readonly lines: readonly string[]
  /** One poll that may find nothing; errors that pass are passed over. */
  poll(): Promise<readonly SourceRecord[]>
  /** Polls until so many records came, or fails. */
  take(count: number): Promise<readonly SourceRecord[]>
  /** What the worker does when records are in the log and their offsets too. */
  acknowledge(records: readonly SourceRecord[]): Promise<void>
}

export async function startSource<D extends ConfigDef>(
  source: SourceConnector<D>,
  raw: Raw,
  offsets = new Offsets(),
): Promise<RunningSource> {
  const logger = memoryLogger()
  const task = source.createTask(parseConfigOrThrow(source.config, raw), {
    connectorName: 'redis-test',
    taskId: Number(raw['task.id'] ?? 0),
    logger,
    raw,
    offsets: {
      offset: async (partition) => offsets.get(partition),
      offsets: async (partitions) => partitions.map((partition) => offsets.get(partition)),
    },
  })
  await task.start?.()
  const signal = new AbortController().signal
  const poll = async (): Promise<readonly SourceRecord[]> => {
    try {
      const result = await task.poll(signal)
      return Array.isArray(result) ? (result as SourceRecord[]) : []
    } catch (error) {
      if ((error as { retriable?: boolean }).retriable === true) return []
      throw error
    }
  }
  return {
    task,
    lines: logger.lines,
    poll,
    async take(count) {
      const records: SourceRecord[] = []
      const deadline = Date.now() + DEADLINE_MS
      while (records.length < count) {
        if (Date.now() > deadline) {
          throw new Error(`only ${records.length} of ${count} records in time: ${logger.lines.join('\n')}`)
        }
        records.push(...(await poll()))
      }
      return records
    },
    async acknowledge(records) {
      for (const [offset, record] of records.entries()) {
        await task.commitRecord?.(record, { topic: record.topic, partition: 0, offset })
        offsets.set(record.sourcePartition, record.sourceOffset)
      }
      await task.commit?.(records)
    },
  }
}
