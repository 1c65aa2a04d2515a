// Runs the HTTP source's task as a worker does, without a worker.
import {
  parseConfigOrThrow,
  type PollResult,
  type SourceOffset,
  type SourcePosition,
  type SourceRecord,
} from '@millrace/sdk'
import source from '../../../connectors/http/source.ts'
import { DEADLINE_MS } from '../../services/deadline.ts'

export interface RunningHttpSource {
  readonly lines: readonly string[]
  poll(signal?: AbortSignal): Promise<PollResult>
  /** Polls until so many records came. */
  take(count: number): Promise<SourceRecord[]>
  stop(): Promise<void>
}

export async function startHttpSource(
  raw: Record<string, string>,
  stored: SourceOffset | null = null,
): Promise<RunningHttpSource> {
  const lines: string[] = []
  const line = (_fields: object, message: string): void => void lines.push(message)
  const full = {
    'kafka.topic': 'items',
    'http.timer.interval.millis': '0',
    'http.timer.catchup.interval.millis': '0',
    'http.client.read.timeout.millis': '60000',
    'http.client.connection.timeout.millis': '60000',
    'http.retry.backoff.ms': '5',
    'http.retry.max': '1000',
    ...raw,
  }
  const task = source.createTask(parseConfigOrThrow(source.config, full), {
    connectorName: 'http-test',
    taskId: 0,
    logger: { debug: line, info: line, warn: line, error: line },
    raw: full,
    offsets: { offset: async () => stored, offsets: async (partitions) => partitions.map(() => stored) },
  })
  await task.start?.()
  const poll = async (signal = new AbortController().signal): Promise<PollResult> => task.poll(signal)
  return {
    lines,
    poll,
    async take(count) {
      const records: SourceRecord[] = []
      for (const deadline = Date.now() + DEADLINE_MS; records.length < count; ) {
        if (Date.now() > deadline) throw new Error(`${records.length} of ${count} records in time: ${lines.join('\n')}`)
        const batch = (await poll()) as readonly (SourceRecord | SourcePosition)[]
        records.push(...batch.filter((item): item is SourceRecord => item.topic !== null))
      }
      return records
    },
    stop: async () => task.stop?.(),
  }
}
