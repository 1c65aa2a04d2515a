import type { RecordHeader } from './batch-builder.ts'
import { type BatchHeader, iterateBatches } from './batch-header.ts'
import { type DecodeOptions, RecordCursor } from './record-cursor.ts'

/** One record as plain values. Key, value and header values are views of the batch's memory. */
export interface DecodedRecord {
  readonly offset: number
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly RecordHeader[]
}

export interface DecodedBatch {
  readonly header: BatchHeader
  readonly records: DecodedRecord[]
}

/** Decodes the batch at `position`; throws RecordError. For hot paths see RecordCursor. */
export function decodeBatch(buffer: Buffer, position: number = 0, options: DecodeOptions = {}): DecodedBatch {
  const cursor = new RecordCursor()
  const header = cursor.open(buffer, position, options)
  const records: DecodedRecord[] = []
  while (cursor.next()) {
    records.push({
      offset: cursor.offset,
      timestamp: cursor.timestamp,
      key: cursor.key(),
      value: cursor.value(),
      headers: cursor.headers(),
    })
  }
  return { header, records }
}

/** Decodes all records of the complete batches of a record set, control batches left out. */
export function decodeRecords(buffer: Buffer, options: DecodeOptions = {}): DecodedRecord[] {
  const records: DecodedRecord[] = []
  for (const header of iterateBatches(buffer)) {
    if (!header.isControl) records.push(...decodeBatch(buffer, header.position, options).records)
  }
  return records
}
