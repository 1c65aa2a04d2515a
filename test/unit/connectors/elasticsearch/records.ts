import type { SinkRecord } from '@millrace/sdk'

/** A record of topic t, partition 0, with some parts changed. */
export function sinkRecord(changes: Partial<SinkRecord> = {}): SinkRecord {
  return {
    topic: 't',
    partition: 0,
    key: 'k',
    keySchema: null,
    value: { x: 1 },
    valueSchema: null,
    headers: [],
    timestamp: 1_700_000_000_000,
    offset: 7,
    timestampType: 'CreateTime',
    originalTopic: 't',
    originalPartition: 0,
    originalOffset: 7,
    ...changes,
  }
}
