// The task contract without a worker: what drivers of single connectors have in common.
import {
  type ConfigDef,
  parseConfigOrThrow,
  type PluginLogger,
  type SinkConnector,
  type SinkRecord,
  type SinkTask,
  type SinkTaskContext,
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

/** A record that went to the dead letter queue, with why. */
export interface Reported {
  readonly record: SinkRecord
  readonly error: Error
}

export interface StartedSink {
  readonly task: SinkTask
  readonly lines: readonly string[]
  /** Offsets the task asked to go on from. */
  readonly sought: TopicPartitionOffset[]
  readonly reported: Reported[]
}

export interface SinkStart {
  readonly connectorName: string
  /** Whether there is a dead letter queue. */
  readonly hasQueue: boolean
  readonly open?: readonly TopicPartition[]
  readonly publisher?: NonNullable<SinkTaskContext['publisher']>
}

/** Starts the only task of a sink and gives it its partitions. */
export async function startSinkTask<D extends ConfigDef>(
  sink: SinkConnector<D>,
  raw: Readonly<Raw>,
  { connectorName, hasQueue, open = [], publisher }: SinkStart,
): Promise<StartedSink> {
  const logger = memoryLogger()
  const sought: TopicPartitionOffset[] = []
  const reported: Reported[] = []
  const report = async (record: SinkRecord, error: Error): Promise<void> => void reported.push({ record, error })
  const task = sink.createTask(parseConfigOrThrow(sink.config, raw), {
    connectorName,
    taskId: 0,
    logger,
    raw,
    errantRecordReporter: hasQueue ? { report } : null,
    ...(publisher ? { publisher } : {}),
    assignment: () => open,
    offset: (offsets) => void sought.push(...offsets),
    timeout: () => undefined,
    pause: () => undefined,
    resume: () => undefined,
    requestCommit: () => undefined,
  })
  await task.start?.()
  if (open.length > 0) await task.open?.(open)
  return { task, lines: logger.lines, sought, reported }
}

/** A record of a sink, as it was in the log. */
export function recordAt(topic: string, offset: number, part: Partial<SinkRecord>): SinkRecord {
  const { partition = 0 } = part
  return {
    topic,
    partition,
    key: null,
    keySchema: null,
    value: null,
    valueSchema: null,
    headers: [],
    timestamp: 1_700_000_000_000,
    offset,
    timestampType: 'CreateTime',
    originalTopic: topic,
    originalPartition: partition,
    originalOffset: offset,
    ...part,
  }
}

/** The offsets that a worker would have committed, by source partition. */
export class Offsets {
  readonly #stored = new Map<string, SourceOffset>()

  commit(records: readonly SourceRecord[]): void {
    for (const record of records) this.set(record.sourcePartition, record.sourceOffset)
  }

  set(partition: SourcePartition, offset: SourceOffset): void {
    this.#stored.set(JSON.stringify(partition), offset)
  }

  get(partition: SourcePartition): SourceOffset | null {
    return this.#stored.get(JSON.stringify(partition)) ?? null
  }
}

/** Starts a task of a source. */
export async function openSourceTask<D extends ConfigDef>(
  source: SourceConnector<D>,
  raw: Readonly<Raw>,
  offsets: Pick<Offsets, 'get'>,
  { connectorName, taskId = 0 }: { readonly connectorName: string; readonly taskId?: number },
): Promise<{ readonly task: SourceTask; readonly lines: readonly string[] }> {
  const logger = memoryLogger()
  const task = source.createTask(parseConfigOrThrow(source.config, raw), {
    connectorName,
    taskId,
    logger,
    raw,
    offsets: {
      offset: async (partition) => offsets.get(partition),
      offsets: async (partitions) => partitions.map((partition) => offsets.get(partition)),
    },
  })
  await task.start?.()
  return { task, lines: logger.lines }
}

/** Polls until so many records came, or fails with the log of the task. */
export async function takeRecords(
  count: number,
  poll: () => Promise<readonly SourceRecord[]>,
  lines: readonly string[],
): Promise<SourceRecord[]> {
  const records: SourceRecord[] = []
  for (const deadline = Date.now() + DEADLINE_MS; records.length < count; ) {
    if (Date.now() > deadline)
      throw new Error(`only ${records.length} of ${count} records in time: ${lines.join('\n')}`)
    records.push(...(await poll()))
  }
  return records
}
