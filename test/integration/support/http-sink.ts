// Runs the HTTP sink's task as a worker does, without a worker.
import type { SinkRecord, SinkTask } from '@millrace/sdk'
import sink from '../../../connectors/http/sink.ts'
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
  /** The offset that may be committed of partition 0 of `orders` after `next` was asked for. */
  committable(next: number): Promise<number | undefined>
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
    async committable(next) {
      const offsets = (await task.preCommit?.([{ topic: 'orders', partition: 0, offset: next }])) ?? []
      return offsets.find(({ partition }) => partition === 0)?.offset
    },
  }
}

/** A record of the topic `orders`. */
export function order(offset: number, value: unknown, key: string | null = `k${offset}`): SinkRecord {
  return recordAt('orders', offset, { key, value })
}
