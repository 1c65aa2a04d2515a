// Runs the HTTP sink's task as a worker does, without a worker.
import type { SinkRecord, SinkTask } from '@millrace/sdk'
import sink from '../../../connectors/http/sink.ts'
import { until } from '../worker-harness.ts'
import { recordAt, startSinkTask } from './task-contract.ts'

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
  /** Commits until everything before this offset of partition 0 of `orders` is delivered; rejects with what fails the task. */
  delivered(next: number): Promise<void>
}

export async function startHttpSink(raw: Record<string, string>, hasQueue = true): Promise<RunningHttpSink> {
  const published: Published[] = []
  const full = { 'retry.backoff.ms': '5', 'max.retries': '1000', ...raw }
  const { task, lines, reported } = await startSinkTask(sink, full, {
    connectorName: 'http-test',
    hasQueue,
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
  })
  return {
    task,
    lines,
    get reported() {
      return reported.map(({ record }) => record.offset)
    },
    published,
    async delivered(next) {
      // A commit waits for seconds only, and busy servers answer later.
      await until(`${next} records are delivered`, async () => {
        const offsets = (await task.preCommit?.([{ topic: 'orders', partition: 0, offset: next }])) ?? []
        if (offsets.find(({ partition }) => partition === 0)?.offset === next) return true
        // The runtime calls `put` after each commit, which is where a failure is told.
        await task.put([])
        return false
      })
    },
  }
}

/** A record of the topic `orders`. */
export function order(offset: number, value: unknown, key: string | null = `k${offset}`): SinkRecord {
  return recordAt('orders', offset, { key, value })
}
