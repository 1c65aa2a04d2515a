// A small driver of the contract of sink tasks: what the worker does, without a worker.
import {
  type ErrantRecordReporter,
  parseConfigOrThrow,
  type PluginLogger,
  type SinkConnector,
  type SinkRecord,
  type SinkTask,
  type TopicPartitionOffset,
} from '@millrace/sdk'

export interface SinkDriver {
  readonly task: SinkTask
  readonly lines: readonly string[]
  /** Records that went to the dead letter queue, with why. */
  readonly reported: readonly { readonly record: SinkRecord; readonly message: string }[]
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
  const lines: string[] = []
  const add = (fields: object, message: string): void => void lines.push(`${message} ${JSON.stringify(fields)}`)
  const logger: PluginLogger = { debug: () => {}, info: add, warn: add, error: add }
  const reported: { record: SinkRecord; message: string }[] = []
  const reporter: ErrantRecordReporter = {
    report: async (record, error) => void reported.push({ record, message: error.message }),
  }
  const task = sink.createTask(parseConfigOrThrow(sink.config, raw), {
    connectorName: 'sink-test',
    taskId: 0,
    logger,
    raw,
    errantRecordReporter: hasQueue ? reporter : null,
    assignment: () => [],
    offset: () => {},
    timeout: () => {},
    pause: () => {},
    resume: () => {},
    requestCommit: () => {},
  })
  await task.start?.()
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

/** A record of partition 0. */
export function recordAt(topic: string, offset: number, part: Partial<SinkRecord>): SinkRecord {
  return {
    topic,
    partition: 0,
    key: null,
    keySchema: null,
    value: null,
    valueSchema: null,
    headers: [],
    timestamp: 1_700_000_000_000,
    offset,
    timestampType: 'CreateTime',
    originalTopic: topic,
    originalPartition: 0,
    originalOffset: offset,
    ...part,
  }
}
