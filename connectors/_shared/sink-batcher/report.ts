import { DataError, type ErrantRecordReporter, type SinkRecord } from '@millrace/sdk'

/** Where a record is, for messages. */
export function placeOf(record: SinkRecord): string {
  return `(topic='${record.originalTopic}',partition=${record.originalPartition},offset=${record.originalOffset})`
}

/** Invariant 3: a record that is not written is durably reported when this resolves; when nobody takes it, this rejects. */
export async function reportOrFail(
  reporter: ErrantRecordReporter | null,
  record: SinkRecord,
  error: Error,
): Promise<void> {
  const reason = new DataError(`the record ${placeOf(record)} cannot be written: ${error.message}`, { cause: error })
  if (reporter === null) throw reason
  await reporter.report(record, reason)
}
