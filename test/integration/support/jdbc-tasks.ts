// A small driver of the task contract for the JDBC connectors: what the worker does, without a worker.
import {
  type ConnectorContext,
  parseConfigOrThrow,
  type PluginLogger,
  type Schema,
  type SinkRecord,
  type SourceRecord,
  type SourceTask,
  type TopicPartition,
} from '@millrace/sdk'
import sink from '../../../connectors/jdbc/sink.ts'
import source from '../../../connectors/jdbc/source.ts'
import type { Postgres } from '../../services/postgres.ts'
import {
  memoryLogger,
  Offsets,
  openSourceTask,
  type Raw,
  recordAt,
  type StartedSink,
  startSinkTask,
  takeRecords,
} from './task-contract.ts'

export function connectionOf(postgres: Postgres): Raw {
  return {
    'connection.url': `jdbc:postgresql://${postgres.host}:${postgres.port}/${postgres.database}`,
    'connection.user': postgres.user,
    'connection.password': postgres.password,
    'connection.backoff.ms': '100',
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
  const { task, lines } = await openSourceTask(source, raw, offsets, { connectorName: 'jdbc-test' })
  const signal = new AbortController().signal
  const poll = async (): Promise<readonly SourceRecord[]> => {
    const result = await task.poll(signal)
    return Array.isArray(result) ? (result as SourceRecord[]) : []
  }
  return { task, lines, poll, take: (count) => takeRecords(count, poll, lines) }
}

export interface RunningSink extends StartedSink {
  /** Calls `put`, again after retriable errors as the worker does. */
  put(records: readonly SinkRecord[]): Promise<void>
}

export interface SinkOptions {
  readonly tolerant?: boolean
  readonly name?: string
  readonly open?: readonly TopicPartition[]
}

export async function startSink(raw: Raw, options: SinkOptions = {}): Promise<RunningSink> {
  const started = await startSinkTask(
    sink,
    { 'retry.backoff.ms': '10', ...raw },
    { connectorName: options.name ?? 'jdbc-sink-test', hasQueue: options.tolerant === true, open: options.open ?? [] },
  )
  return {
    ...started,
    async put(records) {
      for (;;) {
        try {
          await started.task.put(records)
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
  return recordAt(topic, offset, {
    partition,
    key: key?.value ?? null,
    keySchema: key?.schema ?? null,
    value: value?.value ?? null,
    valueSchema: value?.schema ?? null,
  })
}
