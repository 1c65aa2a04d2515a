import { type RecordMetadata, schemas, type SourceOffset, type SourcePartition, type SourceRecord } from '@millrace/sdk'
import type { Job } from 'bullmq'

export const ENDED: unique symbol = Symbol('ended')

/** Reads one queue in one of the modes. */
export interface QueueReader {
  readonly partition: SourcePartition
  /** What is there now, at most so many; ENDED when nothing will come any more. */
  read(count: number): Promise<readonly SourceRecord[] | typeof ENDED>
  /** A record is in the log, or was left out on purpose. */
  done?(record: SourceRecord, metadata: RecordMetadata | null): void
  /** Tells Redis of what is done. */
  flush?(): Promise<void>
  close(): Promise<void>
}

const NO_HEADERS = Object.freeze([])

/** A record of a queue. */
export function queueRecord(
  topic: string,
  sourcePartition: SourcePartition,
  key: string | null,
  value: unknown,
  sourceOffset: SourceOffset,
): SourceRecord {
  return {
    topic,
    partition: null,
    key,
    keySchema: schemas.optional.string,
    value,
    valueSchema: null,
    headers: NO_HEADERS,
    timestamp: Date.now(),
    sourcePartition,
    sourceOffset,
  }
}

/** What a record says of a job. */
export function jobValue(job: Job): Record<string, unknown> {
  return {
    id: job.id ?? null,
    name: job.name,
    data: job.data as unknown,
    opts: job.opts,
    timestamp: job.timestamp,
    attemptsMade: job.attemptsMade,
  }
}
