// A small driver of the contract of sink tasks: what the worker does, without a worker.
import type { SinkConnector, SinkRecord, SinkTask, TopicPartitionOffset } from '@millrace/sdk'
import { recordAt, type Reported, startSinkTask } from './task-contract.ts'

export interface SinkDriver {
  readonly task: SinkTask
  readonly lines: readonly string[]
  readonly reported: readonly Reported[]
  /** Appends to partition 0 of a topic and delivers. Gives the records. */
  send(topic: string, records: readonly Partial<SinkRecord>[]): Promise<readonly SinkRecord[]>
  /** Delivers records, new or again. */
  put(records: readonly SinkRecord[]): Promise<void>
  /** What the task allows to commit of all that was delivered. */
  commit(): Promise<readonly TopicPartitionOffset[]>
  stop(): Promise<void>
}

export interface SinkDriverOptions {
  readonly hasQueue?: boolean
}

/** Starts the only task of a sink. */
export async function startSink(
  sink: SinkConnector<any>,
  raw: Readonly<Record<string, string>>,
  { hasQueue = true }: SinkDriverOptions = {},
): Promise<SinkDriver> {
  const { task, lines, reported } = await startSinkTask(sink, raw, { connectorName: 'sink-test', hasQueue })
  const ends = new Map<string, number>()
  const put = async (records: readonly SinkRecord[]): Promise<void> => {
    await task.put(records)
    for (const { originalTopic, originalOffset } of records) {
      ends.set(originalTopic, Math.max(ends.get(originalTopic) ?? 0, originalOffset + 1))
    }
  }
  const offsets = () => [...ends].map(([topic, offset]) => ({ topic, partition: 0, offset }))
  return {
    task,
    lines,
    reported,
    put,
    async send(topic, parts) {
      const first = ends.get(topic) ?? 0
      const records = parts.map((part, index) => recordAt(topic, first + index, part))
      await put(records)
      return records
    },
    commit: async () => (await task.preCommit?.(offsets())) ?? offsets(),
    async stop() {
      await task.close?.(offsets())
      await task.stop?.()
    },
  }
}
