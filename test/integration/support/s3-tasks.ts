// A small driver of the task contract for the S3 connectors: what the worker does, without a worker.
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import type { Schema, SinkRecord } from '@millrace/sdk'
import sink from '../../../connectors/s3/sink.ts'
import type { S3Server } from '../../services/s3.ts'
import { type Raw, recordAt, type StartedSink, startSinkTask } from './task-contract.ts'

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

/** The same in the keys of the sink with name templates. */
export function aivenConnectionOf(server: S3Server): Raw {
  return {
    'aws.s3.bucket.name': server.bucket,
    'aws.s3.region': 'us-east-1',
    'aws.s3.endpoint': server.endpoint,
    'aws.access.key.id': server.accessKeyId,
    'aws.secret.access.key': server.secretAccessKey,
    'aws.s3.backoff.delay.ms': '10',
  }
}

export interface RunningSink extends StartedSink {
  /** The offset that may be committed of partition 0 after so many records. */
  committable(delivered: number, topic?: string): Promise<number | undefined>
}

/** Starts a task of the sink. */
export async function startSink(raw: Raw, tolerant = false): Promise<RunningSink> {
  const full = { 'format.class': 'JsonFormat', 'flush.size': '3', ...raw }
  const started = await startSinkTask(sink, full, { connectorName: 's3-test', hasQueue: tolerant })
  return {
    ...started,
    async committable(offset, topic = 'orders') {
      const answer = await started.task.preCommit?.([{ topic, partition: 0, offset }])
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
  const { topic = 'orders', schema = null, ...rest } = parts
  return recordAt(topic, offset, { value, valueSchema: schema, ...rest })
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
