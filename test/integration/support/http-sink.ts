// Runs the HTTP sink's task as a worker does, without a worker.
import { parseConfigOrThrow, type SinkRecord, type SinkTask } from '@millrace/sdk'
import sink from '../../../connectors/http/sink.ts'

export interface Published {
  readonly topic: string
  readonly key: string
  readonly value: string
  readonly headers: Readonly<Record<string, string>>
}

export interface RunningHttpSink {
  readonly task: SinkTask
  readonly lines: readonly string[]
  /** Records that were reported, by their offset. */
  readonly reported: readonly number[]
  readonly published: readonly Published[]
  /** The offset that may be committed of partition 0 of `orders` after `next` was asked for. */
  committable(next: number): Promise<number | undefined>
}

export async function startHttpSink(raw: Record<string, string>, hasQueue = true): Promise<RunningHttpSink> {
  const lines: string[] = []
  const reported: number[] = []
  const published: Published[] = []
  const line = (_fields: object, message: string): void => void lines.push(message)
  const full = { 'retry.backoff.ms': '5', 'max.retries': '1000', ...raw }
  const report = async (record: SinkRecord): Promise<void> => void reported.push(record.offset)
  const task = sink.createTask(parseConfigOrThrow(sink.config, full), {
    connectorName: 'http-test',
    taskId: 0,
    logger: { debug: line, info: line, warn: line, error: line },
    raw: full,
    errantRecordReporter: hasQueue ? { report } : null,
    publisher: {
      async publish({ topic, key, value, headers }) {
        published.push({
          topic,
          key: Buffer.from(key ?? []).toString(),
          value: Buffer.from(value ?? []).toString(),
          headers: Object.fromEntries(
            (headers ?? []).map((each) => [each.key, Buffer.from(each.value ?? []).toString()]),
          ),
        })
      },
    },
    assignment: () => [],
    offset: () => undefined,
    timeout: () => undefined,
    pause: () => undefined,
    resume: () => undefined,
    requestCommit: () => undefined,
  })
  await task.start?.()
  return {
    task,
    lines,
    reported,
    published,
    async committable(next) {
      const offsets = (await task.preCommit?.([{ topic: 'orders', partition: 0, offset: next }])) ?? []
      return offsets.find(({ partition }) => partition === 0)?.offset
    },
  }
}

/** A record of the topic `orders`. */
export function order(offset: number, value: unknown, key: string | null = `k${offset}`): SinkRecord {
  return {
    topic: 'orders',
    partition: 0,
    offset,
    key,
    keySchema: null,
    value,
    valueSchema: null,
    headers: [],
    timestamp: 1_700_000_000_000,
    timestampType: 'CreateTime',
    originalTopic: 'orders',
    originalPartition: 0,
    originalOffset: offset,
  }
}
