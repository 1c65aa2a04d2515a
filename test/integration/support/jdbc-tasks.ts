// A small driver of the task contract for the JDBC connectors: what the worker does, without a worker.
import {
  type ConnectorContext,
  type ErrantRecordReporter,
  parseConfigOrThrow,
  type PluginLogger,
  type Schema,
  type SinkRecord,
  type SinkTask,
  type SourceOffset,
  type SourcePartition,
  type SourceRecord,
  type SourceTask,
  type TopicPartition,
  type TopicPartitionOffset,
} from '@millrace/sdk'
import sink from '../../../connectors/jdbc/sink.ts'
import source from '../../../connectors/jdbc/source.ts'
import { DEADLINE_MS } from '../../services/deadline.ts'
import type { Postgres } from '../../services/postgres.ts'

export type Raw = Record<string, string>

/** Lines of the log, so that tests can see warnings. */
export function memoryLogger(): PluginLogger & { readonly lines: string[] } {
  const lines: string[] = []
  const add = (fields: object, message: string): void => void lines.push(`${message} ${JSON.stringify(fields)}`)
  return { lines, debug: add, info: add, warn: add, error: add }
}

export function connectionOf(postgres: Postgres): Raw {
  return {
    'connection.url': `jdbc:postgresql://${postgres.host}:${postgres.port}/${postgres.database}`,
    'connection.user': postgres.user,
    'connection.password': postgres.password,
    'connection.backoff.ms': '100',
  }
}

/** The offsets that a worker would have committed, by source partition. */
export class Offsets {
  readonly #stored = new Map<string, SourceOffset>()

  commit(records: readonly SourceRecord[]): void {
    for (const record of records) this.#stored.set(JSON.stringify(record.sourcePartition), record.sourceOffset)
  }

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
  /** One poll that may find nothing. */
  poll(): Promise<readonly SourceRecord[]>
  /** Polls until so many records came, or fails. */
  take(count: number): Promise<readonly SourceRecord[]>
}

/** The connector's side: the configs of its tasks. */
export async function taskConfigs(raw: Raw, maxTasks: number, context: ConnectorContext): Promise<readonly Raw[]> {
  return (await source.taskConfigs(parseConfigOrThrow(source.config, raw), maxTasks, raw, context)) as readonly Raw[]
}

export function connectorContext(
  on: { reconfigure?: () => void; error?: (error: Error) => void } = {},
): ConnectorContext & { readonly logger: PluginLogger & { readonly lines: string[] } } {
  return {
    connectorName: 'jdbc-test',
    logger: memoryLogger(),
    requestTaskReconfiguration: () => on.reconfigure?.(),
    raiseError: (error) => on.error?.(error),
  }
}

/** Starts the only task of a source. */
export async function startSource(raw: Raw, offsets = new Offsets()): Promise<RunningSource> {
  const [config] = await taskConfigs(raw, 1, connectorContext())
  return startSourceTask(config as Raw, offsets)
}

export async function startSourceTask(raw: Raw, offsets = new Offsets()): Promise<RunningSource> {
  const logger = memoryLogger()
  const task = source.createTask(parseConfigOrThrow(source.config, raw), {
    connectorName: 'jdbc-test',
    taskId: 0,
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
    const result = await task.poll(signal)
    return Array.isArray(result) ? (result as SourceRecord[]) : []
  }
  return {
    task,
    lines: logger.lines,
    poll,
    async take(count) {
      const records: SourceRecord[] = []
      const deadline = Date.now() + DEADLINE_MS
      while (records.length < count) {
        if (Date.now() > deadline)
          throw new Error(`only ${records.length} of ${count} records in time: ${logger.lines.join('\n')}`)
        records.push(...(await poll()))
      }
      return records
    },
  }
}

export interface Reported {
  readonly record: SinkRecord
  readonly error: Error
}

export interface RunningSink {
  readonly task: SinkTask
  readonly lines: readonly string[]
  /** Offsets the task asked to go on from. */
  readonly sought: TopicPartitionOffset[]
  readonly reported: Reported[]
  /** Calls `put`, again after retriable errors as the worker does. */
  put(records: readonly SinkRecord[]): Promise<void>
}

export interface SinkOptions {
  readonly tolerant?: boolean
  readonly name?: string
  readonly open?: readonly TopicPartition[]
}

export async function startSink(raw: Raw, options: SinkOptions = {}): Promise<RunningSink> {
  const logger = memoryLogger()
  const sought: TopicPartitionOffset[] = []
  const reported: Reported[] = []
  const reporter: ErrantRecordReporter = {
    async report(record, error) {
      reported.push({ record, error })
    },
  }
  const full: Raw = { 'retry.backoff.ms': '10', ...raw }
  const task = sink.createTask(parseConfigOrThrow(sink.config, full), {
    connectorName: options.name ?? 'jdbc-sink-test',
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
      for (;;) {
        try {
          await task.put(records)
          return
        } catch (error) {
          if ((error as { retriable?: boolean }).retriable !== true) throw error
        }
      }
    },
  }
}

/** A record of a sink. */
export function sinkRecord(
  offset: number,
  key: { schema: Schema; value: unknown } | null,
  value: { schema: Schema; value: unknown } | null,
  topic = 'orders',
  partition = 0,
): SinkRecord {
  return {
    topic,
    partition,
    offset,
    key: key?.value ?? null,
    keySchema: key?.schema ?? null,
    value: value?.value ?? null,
    valueSchema: value?.schema ?? null,
    headers: [],
    timestamp: 1_700_000_000_000,
    timestampType: 'CreateTime',
    originalTopic: topic,
    originalPartition: partition,
    originalOffset: offset,
  }
}
