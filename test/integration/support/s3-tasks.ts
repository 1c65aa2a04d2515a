// A small driver of the task contract for the S3 connectors: what the worker does, without a worker.
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import {
  type ErrantRecordReporter,
  parseConfigOrThrow,
  type Schema,
  type SinkRecord,
  type SinkTask,
  type TopicPartitionOffset,
} from '@millrace/sdk'
import sink from '../../../connectors/s3/sink.ts'
import type { S3Server } from '../../services/s3.ts'
import { memoryLogger, type Raw } from './jdbc-tasks.ts'

export function connectionOf(server: S3Server): Raw {
  return {
    's3.bucket.name': server.bucket,
    's3.region': 'us-east-1',
    'store.url': server.endpoint,
    'aws.access.key.id': server.accessKeyId,
    'aws.secret.access.key': server.secretAccessKey,
    's3.retry.backoff.ms': '10',
  }
}

export interface RunningSink {
  readonly task: SinkTask
  readonly lines: readonly string[]
  readonly sought: TopicPartitionOffset[]
  readonly reported: { readonly record: SinkRecord; readonly error: Error }[]
  /** The offset that may be committed of partition 0 after so many records. */
  committable(delivered: number, topic?: string): Promise<number | undefined>
}

/** Starts a task of the sink. */
export async function startSink(raw: Raw, tolerant = false): Promise<RunningSink> {
  const logger = memoryLogger()
  const sought: TopicPartitionOffset[] = []
  const reported: { record: SinkRecord; error: Error }[] = []
  const reporter: ErrantRecordReporter = {
    async report(record, error) {
      reported.push({ record, error })
    },
  }
  const full = { 'format.class': 'JsonFormat', 'flush.size': '3', ...raw }
  const task = sink.createTask(parseConfigOrThrow(sink.config, full), {
    connectorName: 's3-test',
    taskId: 0,
    logger,
    raw: full,
    errantRecordReporter: tolerant ? reporter : null,
    assignment: () => [],
    offset: (offsets) => void sought.push(...offsets),
    timeout: () => undefined,
    pause: () => undefined,
    resume: () => undefined,
    requestCommit: () => undefined,
  })
  await task.start?.()
  return {
    task,
    lines: logger.lines,
    sought,
    reported,
    async committable(offset, topic = 'orders') {
      const answer = await task.preCommit?.([{ topic, partition: 0, offset }])
      return answer?.[0]?.offset
    },
  }
}

export interface RecordParts {
  readonly schema?: Schema
  readonly key?: unknown
  readonly keySchema?: Schema
  readonly topic?: string
  readonly partition?: number
  readonly timestamp?: number
  readonly headers?: SinkRecord['headers']
}

/** A record of a sink. */
export function sinkRecord(offset: number, value: unknown, parts: RecordParts = {}): SinkRecord {
  const { topic = 'orders', partition = 0 } = parts
  return {
    topic,
    partition,
    offset,
    key: parts.key ?? null,
    keySchema: parts.keySchema ?? null,
    value,
    valueSchema: parts.schema ?? null,
    headers: parts.headers ?? [],
    timestamp: parts.timestamp ?? 1_700_000_000_000,
    timestampType: 'CreateTime',
    originalTopic: topic,
    originalPartition: partition,
    originalOffset: offset,
  }
}

/** All names of objects, in order. */
export async function keysOf(server: S3Server, prefix = ''): Promise<string[]> {
  const keys: string[] = []
  for (let after = ''; ; ) {
    const page = await server.client.send(
      new ListObjectsV2Command({
        Bucket: server.bucket,
        Prefix: prefix,
        ...(after === '' ? {} : { StartAfter: after }),
      }),
    )
    keys.push(...(page.Contents ?? []).map((each) => each.Key ?? ''))
    if (page.IsTruncated !== true) return keys
    after = keys.at(-1) ?? ''
  }
}

/** The bytes of an object, decompressed by its ending. */
export async function bytesOf(server: S3Server, key: string): Promise<Buffer> {
  const answer = await server.client.send(new GetObjectCommand({ Bucket: server.bucket, Key: key }))
  const bytes = Buffer.from((await answer.Body?.transformToByteArray()) ?? [])
  if (key.endsWith('.gz')) return gunzipSync(bytes)
  return key.endsWith('.zst') ? zstdDecompressSync(bytes) : bytes
}

/** The JSON documents of all objects whose name starts so, in the order of the names. */
export async function jsonOf(server: S3Server, prefix: string): Promise<any[]> {
  const found: any[] = []
  for (const key of await keysOf(server, prefix)) {
    const lines = (await bytesOf(server, key)).toString().split('\n')
    found.push(...lines.filter((line) => line !== '').map((line) => JSON.parse(line)))
  }
  return found
}
