// A small driver of the task contract for the Redis and BullMQ connectors: what the worker does, without a worker.
import {
  type ConfigDef,
  type Header,
  type Schema,
  type SinkConnector,
  type SinkRecord,
  type SourceConnector,
  type SourceRecord,
  type SourceTask,
  type TopicPartition,
  type TopicPartitionOffset,
} from '@millrace/sdk'
import { DEADLINE_MS } from '../../services/deadline.ts'
import {
  Offsets,
  openSourceTask,
  type Raw,
  recordAt,
  type StartedSink,
  startSinkTask,
  takeRecords,
} from './task-contract.ts'

export interface RunningSink extends StartedSink {
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
  const started = await startSinkTask(
    sink,
    { 'retry.backoff.ms': '10', ...raw },
    { connectorName: options.name ?? 'redis-sink-test', hasQueue: options.tolerant === true, open: options.open ?? [] },
  )
  const { task, lines } = started
  return {
    ...started,
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
        if (Date.now() > deadline) throw new Error(`not written in time: ${lines.join('\n')}`)
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
  const { topic = 'orders', ...parts } = more
  return recordAt(topic, offset, { key, value, ...parts })
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
  const taskId = Number(raw['task.id'] ?? 0)
  const { task, lines } = await openSourceTask(source, raw, offsets, { connectorName: 'redis-test', taskId })
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
    lines,
    poll,
    take: (count) => takeRecords(count, poll, lines),
    async acknowledge(records) {
      for (const [offset, record] of records.entries()) {
        await task.commitRecord?.(record, { topic: record.topic, partition: 0, offset })
        offsets.set(record.sourcePartition, record.sourceOffset)
      }
      await task.commit?.(records)
    },
  }
}
